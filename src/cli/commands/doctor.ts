// `palm doctor`: what a device needs and how it reaches the others, one line each, with the way round. It
// starts no device: where none runs, it looks at the folder and the relay itself.

import { loadWebRtc } from '../../adapters/node/node-webrtc.ts';
import { findSqlite } from '../../adapters/node/store/sqlite.ts';
import type { FindingState } from '../../core/model/finding.ts';
import type { PalmStatus } from '../../runtime/api.ts';
import type { DeviceClient } from '../client.ts';
import { diagnoseAlone } from '../device/compose.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson } from '../output.ts';
import { words } from '../words.ts';
import type { CommonFlags, Context } from './context.ts';

interface Line {
  /** What is looked at. */
  readonly what: string;
  /** Whether nothing is in the way, as far as it could be tried. */
  readonly isFine: boolean;
  readonly detail: string;
  readonly state: FindingState;
  /** The kind of what was found, for programs. */
  readonly reason: string;
  readonly way?: string;
}

const MARKS: Record<FindingState, string> = { works: '✓', limited: '!', blocked: '✗', untried: '–' };

/** @throws CommandError when something is in the way. */
export async function doctor(context: Context, flags: CommonFlags): Promise<void> {
  const device = await runningDevice(context);
  const diagnosis = await (device?.diagnose() ?? diagnoseAlone(context));
  if (flags['report'] === true) {
    print(diagnosis.report);
    return;
  }
  const lines = [
    await needed(words.doctor.sqlite, 'sqlite', findSqlite),
    await needed(words.doctor.webRtc, 'webrtc', loadWebRtc),
    ...(device === undefined ? [notRunning()] : poolLines(await device.status())),
    ...diagnosis.findings.map(({ title, text, state, reason, way }) => line(title, state, reason, text, way)),
  ];
  if (context.isJson) printJson(lines);
  else for (const each of lines) printLine(each);
  const blocked = lines.filter(({ isFine }) => !isFine);
  if (blocked.length > 0 && !context.isJson)
    throw new CommandError(words.doctor.missing(blocked.length), EXIT.refused, 'doctor');
}

function printLine({ what, state, detail, way }: Line): void {
  print(`${MARKS[state]} ${what}: ${detail}`);
  if (way !== undefined && state !== 'works') print(`    ${words.doctor.wayRound} ${way}`);
}

function line(what: string, state: FindingState, reason: string, detail: string, way?: string): Line {
  const isFine = state !== 'blocked';
  return { what, isFine, detail, state, reason, ...(way === undefined ? {} : { way }) };
}

/** Undefined where none runs. */
async function runningDevice(context: Context): Promise<DeviceClient | undefined> {
  try {
    return await context.device(false);
  } catch (error) {
    if (error instanceof CommandError && error.exitCode === EXIT.noDevice) return undefined;
    throw error;
  }
}

async function needed(what: string, reason: string, work: () => Promise<unknown>): Promise<Line> {
  try {
    await work();
    return line(what, 'works', reason, words.doctor.there);
  } catch (error) {
    return line(what, 'blocked', reason, error instanceof Error ? error.message : String(error));
  }
}

function notRunning(): Line {
  return line(words.device, 'limited', 'not-running', words.doctor.notRunning, words.doctor.start);
}

function poolLines({ device, pool, files }: PalmStatus): Line[] {
  const own = line(words.device, 'works', 'running', device.name);
  if (pool === undefined) return [own, line(words.pool, 'blocked', 'in-no-pool', words.notInPool)];
  const unsafe = files.filter(({ safe }) => !safe).length;
  const state = unsafe === 0 ? 'works' : 'blocked';
  return [
    own,
    line(words.pool, 'works', 'in-pool', pool.name),
    line(words.files, state, 'files', words.doctor.unsafe(unsafe, files.length)),
  ];
}
