// English: sizes, speeds, times and counts. Pure. Decimal prefixes (1 kB = 1000 B), as phones and shops
// count.

const DAY_MS = 24 * 60 * 60_000;

const PREFIXES = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** `bytes` with its unit: "0 B", "999 B", "1.5 kB", "20 MB". One decimal below ten, none from there on. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 'B';
  for (const prefix of PREFIXES) {
    unit = prefix;
    // 999.5 would be printed as "1000": it belongs to the next unit.
    if (value < 999.5) break;
    if (prefix !== 'PB') value /= 1000;
  }
  const digits = unit === 'B' || value >= 9.95 ? 0 : 1;
  return `${trimZero(value.toFixed(digits))} ${unit}`;
}

/** "1.5 MB/s"; '' while the speed is unknown. */
export function formatSpeed(bytesPerSecond: number): string {
  return bytesPerSecond > 0 ? `${formatBytes(bytesPerSecond)}/s` : '';
}

/** "5 s left", "3 min left", "2 h 5 min left": coarse on purpose, so that it does not flicker. */
export function formatTimeLeft(seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  if (whole < 60) return `${whole} s left`;
  const minutes = Math.ceil(whole / 60);
  if (minutes < 60) return `${minutes} min left`;
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return 'more than a day left';
  return minutes % 60 === 0 ? `${hours} h left` : `${hours} h ${minutes % 60} min left`;
}

/** In a sentence: "20 seconds", "an hour", "three days". */
export function formatDuration(ms: number): string {
  const [count, unit] = coarse(ms);
  if (count === 1) return ONE[unit];
  return `${COUNTS[count] ?? count.toLocaleString('en')} ${unit}s`;
}

/** In a label: "20 s", "5 min", "2 h", "3 days". */
export function formatShortDuration(ms: number): string {
  const [count, unit] = coarse(ms);
  return unit === 'day' ? countOf(count, unit) : `${count} ${SHORT[unit]}`;
}

/** A moment in the past: "14:05" today, "Friday 14:05" within a week, else "12 March" or "12 March 2025". */
export function formatSince(atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (at.toDateString() === now.toDateString()) return time;
  const agoMs = nowMs - atMs;
  if (agoMs >= 0 && agoMs < 6 * DAY_MS)
    return `${at.toLocaleDateString('en-GB', { weekday: 'long' })} ${time}`;
  const isThisYear = at.getFullYear() === now.getFullYear();
  const year = isThisYear ? {} : ({ year: 'numeric' } as const);
  return at.toLocaleDateString('en-GB', { day: 'numeric', month: 'long', ...year });
}

/** A moment to come: "14:05" today, "tomorrow 14:05", else "12 March 14:05". */
export function formatUntil(atMs: number, nowMs: number): string {
  const [at, now] = [new Date(atMs), new Date(nowMs)];
  const time = at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (at.toDateString() === now.toDateString()) return time;
  if (at.toDateString() === new Date(nowMs + DAY_MS).toDateString()) return `tomorrow ${time}`;
  return `${at.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })} ${time}`;
}

/** A moment to the second, for records: "12 Mar 2026, 14:05:09". */
export function formatMoment(atMs: number): string {
  return new Date(atMs).toLocaleString('en-GB', { dateStyle: 'medium', timeStyle: 'medium' });
}

type DurationUnit = 'second' | 'minute' | 'hour' | 'day';

const ONE: Record<DurationUnit, string> = {
  second: 'a second',
  minute: 'a minute',
  hour: 'an hour',
  day: 'a day',
};
const SHORT = { second: 's', minute: 'min', hour: 'h' };
const COUNTS = ['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** In the largest unit that is exact or of which there are two at least, rounded. */
function coarse(ms: number): [count: number, unit: DurationUnit] {
  const seconds = Math.max(1, Math.round(ms / 1000));
  if (!isEnough(seconds, 60)) return [seconds, 'second'];
  const minutes = Math.round(seconds / 60);
  if (!isEnough(minutes, 60)) return [minutes, 'minute'];
  const hours = Math.round(minutes / 60);
  return isEnough(hours, 24) ? [Math.round(hours / 24), 'day'] : [hours, 'hour'];
}

function isEnough(count: number, larger: number): boolean {
  return count >= 2 * larger || count === larger;
}

/** "1 device", "3 devices", "15,000 files". */
/** `plural`: where it is not the noun with an s. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return `${count.toLocaleString('en')} ${count === 1 ? noun : plural}`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

export const unitTexts = {
  bytes: formatBytes,
  speed: formatSpeed,
  timeLeft: formatTimeLeft,
  moment: formatMoment,
  since: formatSince,
  until: formatUntil,
};
