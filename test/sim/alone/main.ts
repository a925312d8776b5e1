// The command `npm run test:sim -- --seeds N`: tells as many stories as wanted, and prints each that failed
// with its trace and the command that replays it.

import { tellStory } from './story.ts';

const { seeds, from, only, trace } = options(process.argv.slice(2));
const DEVICE_YEAR_MS = 365 * 24 * 3_600_000;
const TRACE_LINES = 60;

const counts = new Map<string, number>();
let deviceMs = 0;
let openMs = 0;
const failed: number[] = [];
const startCpu = process.cpuUsage();
for (let seed = from; seed < from + seeds; seed++) {
  const story = await tellStory({
    seed,
    ...(trace ? { say: print } : {}),
    ...(only === undefined ? {} : { only }),
  });
  deviceMs += story.deviceMs;
  openMs += story.openMs;
  for (const [what, count] of story.counts) counts.set(what, (counts.get(what) ?? 0) + count);
  if (story.failure === undefined) continue;
  failed.push(seed);
  if (!trace) for (const line of story.trace.slice(-TRACE_LINES)) print(line);
  print(story.failure.stack ?? '');
  print(`seed ${seed} failed: ${story.failure.message}`);
  print(`replay: npm run test:sim -- --seeds 1 --from ${seed} --trace\n`);
}
const { user, system } = process.cpuUsage(startCpu);
const minutes = (user + system) / 60e6;
print(Array.from(counts, ([what, count]) => `${what} ${count}`).join(', '));
print(
  `${seeds} stories, ${failed.length} failed${failed.length > 0 ? `: ${failed.join(' ')}` : ''}; ` +
    `${(deviceMs / DEVICE_YEAR_MS).toFixed(3)} virtual device-years, ${(openMs / DEVICE_YEAR_MS).toFixed(3)} of them open; ` +
    `${minutes.toFixed(2)} minutes of one core; ${(deviceMs / DEVICE_YEAR_MS / minutes).toFixed(3)} device-years a minute`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

function options(given: readonly string[]): {
  seeds: number;
  from: number;
  only: ReadonlySet<string> | undefined;
  trace: boolean;
} {
  const value = (name: string): string | undefined => {
    const at = given.indexOf(`--${name}`);
    return at < 0 ? undefined : given[at + 1];
  };
  const faults = value('only');
  return {
    seeds: Number(value('seeds') ?? 1),
    from: Number(value('from') ?? 1),
    only: faults === undefined ? undefined : new Set(faults.split(',')),
    trace: given.includes('--trace'),
  };
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
