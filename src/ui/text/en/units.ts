// English: sizes, speeds, times and counts. Pure. Decimal prefixes (1 kB = 1000 B), as phones and shops
// count.

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

/** "1 device", "3 devices", "15,000 files". */
export function countOf(count: number, noun: string): string {
  return `${count.toLocaleString('en')} ${noun}${count === 1 ? '' : 's'}`;
}

function trimZero(text: string): string {
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

export const unitTexts = {
  bytes: formatBytes,
  speed: formatSpeed,
  timeLeft: formatTimeLeft,
};
