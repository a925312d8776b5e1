// The pool's status is renewed several times a second while bytes move; most of it is unchanged. Pure.

import type { FileStatus, PalmStatus } from '../../runtime/api.ts';

/**
 * `now`, with each unchanged part taken from `before`; `before` itself when nothing changed. So a different
 * object means a change, and the rest need not be redrawn.
 */
export function settledStatus(before: PalmStatus, now: PalmStatus): PalmStatus {
  const unchanged = namesOf(now).filter((name) => isSame(name, before, now));
  const isWhole = unchanged.length === namesOf(before).length && unchanged.length === namesOf(now).length;
  if (isWhole) return before;
  return { ...now, ...Object.fromEntries(unchanged.map((name) => [name, before[name]])) };
}

function namesOf<Status extends object>(status: Status): (keyof Status)[] {
  const names: (keyof Status)[] = [];
  for (const name in status) names.push(name);
  return names;
}

function isSame(name: keyof PalmStatus, before: PalmStatus, now: PalmStatus): boolean {
  if (name === 'files') return areSame(before.files, now.files);
  // The other parts are small.
  return JSON.stringify(before[name]) === JSON.stringify(now[name]);
}

/** There may be thousands, and an unchanged one is the same object as before. */
function areSame(before: readonly FileStatus[], now: readonly FileStatus[]): boolean {
  return before.length === now.length && now.every((file, at) => file === before[at]);
}
