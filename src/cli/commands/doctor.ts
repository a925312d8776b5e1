// `palm doctor`: what a device needs, one line each, and which of it is missing.

import { existsSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { loadWebRtc } from '../../adapters/node/node-webrtc.ts';
import { findSqlite } from '../../adapters/node/store/sqlite.ts';
import type { PalmStatus } from '../../runtime/api.ts';
import { formatBytes } from '../../ui/text/en/units.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson } from '../output.ts';
import { words } from '../words.ts';
import type { Context } from './context.ts';

interface Finding {
  readonly what: string;
  readonly isFine: boolean;
  readonly detail: string;
}

/** Below this a device soon takes nothing more, bytes. */
const LITTLE_SPACE_BYTES = 500_000_000;

/** @throws CommandError when something is missing. */
export async function doctor(context: Context): Promise<void> {
  const findings = [
    await tried(words.doctor.sqlite, findSqlite),
    await tried(words.doctor.webRtc, loadWebRtc),
    await spaceFor(context.folder),
    ...(await poolFindings(context)),
  ];
  if (context.isJson) printJson(findings);
  else for (const { what, isFine, detail } of findings) print(`${isFine ? '✓' : '✗'} ${what}: ${detail}`);
  const missing = findings.filter(({ isFine }) => !isFine);
  if (missing.length > 0 && !context.isJson)
    throw new CommandError(words.doctor.missing(missing.length), EXIT.refused, 'doctor');
}

async function tried(what: string, work: () => Promise<unknown>): Promise<Finding> {
  try {
    await work();
    return { what, isFine: true, detail: words.doctor.there };
  } catch (error) {
    return { what, isFine: false, detail: error instanceof Error ? error.message : String(error) };
  }
}

async function spaceFor(folder: string): Promise<Finding> {
  let path = folder;
  while (!existsSync(path) && dirname(path) !== path) path = dirname(path);
  const { bsize, bavail } = await statfs(path);
  const freeBytes = bsize * bavail;
  return {
    what: words.doctor.space,
    isFine: freeBytes >= LITTLE_SPACE_BYTES,
    detail: `${formatBytes(freeBytes)} (${path})`,
  };
}

async function poolFindings(context: Context): Promise<Finding[]> {
  let status: PalmStatus;
  try {
    status = await (await context.device()).status();
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return [{ what: words.device, isFine: false, detail }];
  }
  const { pool, devices, files } = status;
  const device = { what: words.device, isFine: true, detail: status.device.name };
  if (pool === undefined) return [device, { what: words.pool, isFine: false, detail: words.notInPool }];
  const reachable = devices.filter(({ state, self }) => state === 'reachable' && !self).length;
  const unsafe = files.filter(({ safe }) => !safe).length;
  return [
    device,
    { what: words.pool, isFine: true, detail: pool.name },
    { what: words.relayLabel, isFine: pool.relay === 'connected', detail: words.relay[pool.relay] },
    { what: words.devices, isFine: reachable > 0, detail: words.doctor.reachable(reachable, devices.length) },
    { what: words.files, isFine: unsafe === 0, detail: words.doctor.unsafe(unsafe, files.length) },
  ];
}
