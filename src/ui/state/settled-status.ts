// The pool's status is renewed several times a second while bytes move; most of it is unchanged. Pure.

import type { FileStatus, PalmStatus } from '../../runtime/api.ts';

const PARTS = [
  'device',
  'pool',
  'devices',
  'files',
  'transfers',
  'unfinished',
  'repairs',
  'repairPause',
  'leaving',
  'activity',
  'notices',
  'lock',
] as const;

/**
 * `now`, with each unchanged part taken from `before`; `before` itself when nothing changed. So a different
 * object means a change, and the rest need not be redrawn.
 */
export function settledStatus(before: PalmStatus, now: PalmStatus): PalmStatus {
  const settled: PalmStatus = {
    device: part(before.device, now.device),
    lock: now.lock,
    ...(now.pool === undefined ? {} : { pool: part(before.pool ?? now.pool, now.pool) }),
    devices: part(before.devices, now.devices),
    files: files(before.files, now.files),
    transfers: part(before.transfers, now.transfers),
    unfinished: part(before.unfinished, now.unfinished),
    repairs: part(before.repairs, now.repairs),
    ...(now.repairPause === undefined ? {} : { repairPause: now.repairPause }),
    ...(now.leaving === undefined ? {} : { leaving: part(before.leaving ?? now.leaving, now.leaving) }),
    activity: part(before.activity, now.activity),
    notices: part(before.notices, now.notices),
  };
  return PARTS.every((name) => settled[name] === before[name]) ? before : settled;
}

/** These are small. */
function part<Part>(before: Part, now: Part): Part {
  return JSON.stringify(before) === JSON.stringify(now) ? before : now;
}

/** There may be thousands, and an unchanged one is the same object as before. */
function files(before: readonly FileStatus[], now: readonly FileStatus[]): readonly FileStatus[] {
  return before.length === now.length && now.every((file, at) => file === before[at]) ? before : now;
}
