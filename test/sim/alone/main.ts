// The command `npm run test:sim -- --seeds N`: tells as many stories as wanted, and prints each that failed
// with its trace and the command that replays it.

import { measure } from './measure.ts';
import { tellStory, type StoryResult } from './story.ts';
import { tellYears } from './years.ts';

const HOUR_MS = 3_600_000;
const DEVICE_YEAR_MS = 365 * 24 * HOUR_MS;
const SHOWN_LINES = 80;

const given = process.argv.slice(2);
const { seeds, from, only, trace, untilFailure } = options();
const counts = new Map<string, number>();
const failed: number[] = [];
let told = 0;
let deviceMs = 0;
let openMs = 0;
if (given.includes('--measure')) await measure(print, valueOf('measure'));
else if (given.includes('--years')) await tellAllYears();
else await tellAll();

async function tellAll(): Promise<void> {
  for (let seed = from; seed < from + seeds && !(untilFailure && failed.length > 0); seed++) {
    const startMs = cpuMs();
    const story = await tellStory({
      seed,
      ...(trace ? { say: print } : {}),
      ...(only === undefined ? {} : { only }),
      hasRealDays: given.includes('--real-days'),
    });
    told += 1;
    deviceMs += story.deviceMs;
    openMs += story.openMs;
    for (const [what, count] of story.counts) counts.set(what, (counts.get(what) ?? 0) + count);
    if (story.failure !== undefined) failed.push(seed);
    printStory(seed, story, cpuMs() - startMs);
  }
  printSum();
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** Until so many device-years have passed: stories of months each. */
async function tellAllYears(): Promise<void> {
  const wantedYears = Number(valueOf('years') ?? 1);
  const population = valueOf('population') ?? 'household';
  const days = Number(valueOf('days') ?? 365);
  const total = { lostFiles: 0, files: 0, spareMs: [0, 0, 0] };
  for (
    let seed = from;
    deviceMs < wantedYears * DEVICE_YEAR_MS && !(untilFailure && failed.length > 0);
    seed++
  ) {
    const startMs = cpuMs();
    const story = await tellYears({
      seed,
      population,
      days,
      ...(trace ? { say: print } : {}),
      ...(only === undefined ? {} : { only }),
    });
    told += 1;
    deviceMs += story.deviceMs;
    openMs += story.openMs;
    total.lostFiles += story.lostFiles;
    total.files += story.fileCount;
    total.spareMs = total.spareMs.map((ms, spare) => ms + (story.spareMs[spare] ?? 0));
    for (const [what, count] of story.counts) counts.set(what, (counts.get(what) ?? 0) + count);
    if (story.failure !== undefined) failed.push(seed);
    const count = (what: string): number => story.counts.get(what) ?? 0;
    print(
      `seed ${seed}: ${population}, ${years(story.deviceMs)} device-years, ${hours(story.openMs)} h awake, ` +
        `${count('loss')} devices lost, ${count('wipe') + count('departure')} wiped, ${count('fragment rebuilt')} fragments rebuilt, ` +
        `${story.lostFiles} of ${story.fileCount} files lost, ${spareOf(story.spareMs)}, ${((cpuMs() - startMs) / 1000).toFixed(0)} s, ` +
        (story.failure === undefined ? 'ok' : 'FAILED'),
    );
    if (story.failure === undefined) continue;
    if (!trace) for (const line of story.trace.slice(-SHOWN_LINES)) print(line);
    print(story.failure.stack ?? '');
    print(`seed ${seed} failed: ${story.failure.message}`);
    print(
      `replay: npm run test:sim -- --years 0.01 --population ${population} --days ${days} --from ${seed} --trace\n`,
    );
  }
  const minutes = cpuMs() / 60_000;
  print(Array.from(counts, ([what, count]) => `${what} ${count}`).join(', '));
  print(`${told} stories, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(' ')}` : ''}`);
  print(
    `${years(deviceMs)} device-years, ${hours(openMs)} device-hours awake, ${total.lostFiles} of ${total.files} files lost, in ` +
      `${minutes.toFixed(1)} minutes of one core: ${(deviceMs / DEVICE_YEAR_MS / minutes).toFixed(2)} device-years a minute`,
  );
  print(spareOf(total.spareMs));
  process.exitCode = failed.length > 0 ? 1 : 0;
}

/** How close to a loss files were. */
function spareOf(spareMs: readonly number[]): string {
  const allMs = Math.max(1, sum(spareMs));
  const share = (spare: number): string => (((spareMs[spare] ?? 0) / allMs) * 100).toFixed(2);
  return `${share(0)} % of file time without a spare fragment, ${share(1)} % with one`;
}

function sum(values: readonly number[]): number {
  return values.reduce((before, value) => before + value, 0);
}

function years(ms: number): string {
  return (ms / DEVICE_YEAR_MS).toFixed(1);
}

function hours(ms: number): string {
  return (ms / HOUR_MS).toFixed(0);
}

function printStory(
  seed: number,
  { failure, trace: lines, linksAre, deviceCount, days, deviceMs: ofDevices }: StoryResult,
  tookMs: number,
): void {
  const minutes = (ofDevices / deviceCount / 60_000).toFixed(0);
  const outcome = failure === undefined ? 'ok' : 'FAILED';
  print(
    `seed ${seed}: ${deviceCount} devices, ${linksAre} links, ${days} days in ${minutes} minutes, ${(tookMs / 1000).toFixed(1)} s, ${outcome}`,
  );
  if (failure === undefined) return;
  if (!trace) for (const line of lines.slice(-SHOWN_LINES)) print(line);
  print(failure.stack ?? '');
  print(`seed ${seed} failed: ${failure.message}`);
  print(`replay: npm run test:sim -- --seeds 1 --from ${seed} --trace\n`);
}

function printSum(): void {
  const minutes = cpuMs() / 60_000;
  print(Array.from(counts, ([what, count]) => `${what} ${count}`).join(', '));
  print(`${told} stories, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(' ')}` : ''}`);
  print(
    `${(deviceMs / HOUR_MS).toFixed(0)} virtual device-hours, ${(openMs / HOUR_MS).toFixed(0)} of them open, in ` +
      `${minutes.toFixed(1)} minutes of one core: ${(deviceMs / DEVICE_YEAR_MS / minutes).toFixed(5)} device-years a minute`,
  );
}

/** Of this process until now. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function options(): {
  seeds: number;
  from: number;
  only: ReadonlySet<string> | undefined;
  trace: boolean;
  untilFailure: boolean;
} {
  const faults = valueOf('only');
  return {
    seeds: Number(valueOf('seeds') ?? 1),
    from: Number(valueOf('from') ?? 1),
    only: faults === undefined ? undefined : new Set(faults.split(',')),
    trace: given.includes('--trace'),
    untilFailure: given.includes('--until-failure'),
  };
}

/** What follows `--name`. */
function valueOf(name: string): string | undefined {
  const at = given.indexOf(`--${name}`);
  return at < 0 ? undefined : given[at + 1];
}
