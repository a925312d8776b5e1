// English: the keys of a pool, and that they can be changed.

import { formatSince } from './units.ts';

export function badRotation({ minMs, maxMs }: { readonly minMs: number; readonly maxMs: number }): string {
  return `How old the keys may get must be 0 for any age, or a whole number of milliseconds from ${minMs.toLocaleString('en')} to ${maxMs.toLocaleString('en')}.`;
}

export const keysTexts = {
  heading: 'Keys',
  since: (epoch: number, sinceMs: number, nowMs: number) =>
    epoch === 0
      ? `Not changed since the pool began: ${formatSince(sinceMs, nowMs)}.`
      : `Last changed: ${formatSince(sinceMs, nowMs)}.`,
  why: 'Shutting a device out changes the keys by itself. Change them by hand if somebody may have copied them. All devices of the pool get the new ones, those that are asleep when they wake. What is stored from then on opens under the new keys alone; files of before stay as they are, until you re-key them.',
  change: 'Change the keys now',
  changing: 'Changing…',
  changed: 'The pool has new keys',
};
