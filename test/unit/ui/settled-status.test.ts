// Which objects stay the same from one status to the next, so that they need not be redrawn.

import { expect, it } from 'vitest';
import type { FileStatus, PalmStatus } from '../../../src/runtime/api.ts';
import { settledStatus } from '../../../src/ui/state/settled-status.ts';

// Only their identity counts.
const FILE = { fileId: 'f' } as FileStatus;
const UNFINISHED = { id: 'u' } as PalmStatus['unfinished'][number];

it('an unchanged status is the previous object', () => {
  const before = status();
  expect(settledStatus(before, status())).toBe(before);
  const { pool: _, ...outside } = status();
  expect(settledStatus(outside, { ...outside })).toBe(outside);
});

it.each([
  ['device', { device: { id: 'a', name: 'Renamed' } }],
  ['pool', { pool: { id: 'p', name: 'Home', relay: 'lost', alone: false, invitesEnd: true } }],
  [
    'devices',
    {
      devices: [
        {
          id: 'a',
          name: 'Laptop',
          state: 'reachable',
          class: 'laptop',
          graceMs: 0,
          sinceMs: 0,
          heldBytes: 8,
          self: true,
        },
      ],
    },
  ],
  ['files', { files: [] }],
  ['transfers', { transfers: [transfer(2)] }],
  ['unfinished', { unfinished: [UNFINISHED] }],
  ['notices', { notices: [] }],
  // Parts that are not always there.
  ['removed', { removed: { files: 1, bytes: 2, waitsFor: ['b'] } }],
  ['quota', { quota: { storeBytes: 10, storedBytes: 1, givenBytes: 3 } }],
  ['repairPause', { repairPause: 'data-saver' }],
] satisfies [keyof PalmStatus, Partial<PalmStatus>][])(
  'of one in which %s changed, all else is as before',
  (changed, change) => {
    const before = status();
    const now = { ...status(), ...change };
    const settled = settledStatus(before, now);
    expect(settled).toEqual(now);
    for (const name of Object.keys(before) as (keyof PalmStatus)[])
      expect(settled[name] === before[name], name).toBe(name !== changed);
  },
);

it('a part that is no longer there is a change, and one that stays is the same object', () => {
  const removed = { files: 1, bytes: 2, waitsFor: ['b'] };
  const before = { ...status(), removed };
  expect(settledStatus(before, { ...status(), removed: { ...removed } })).toBe(before);
  expect('removed' in settledStatus(before, status())).toBe(false);
});

it('a pool that was left or joined is a change', () => {
  const { pool, ...outside } = status();
  expect('pool' in settledStatus(status(), outside)).toBe(false);
  expect(settledStatus(outside, status()).pool).toEqual(pool);
});

function status(): PalmStatus {
  return {
    device: { id: 'a', name: 'Laptop' },
    lock: 'none',
    pool: { id: 'p', name: 'Home', relay: 'connected', alone: false, invitesEnd: true },
    devices: [
      {
        id: 'a',
        name: 'Laptop',
        state: 'reachable',
        class: 'laptop',
        graceMs: 0,
        sinceMs: 0,
        heldBytes: 7,
        self: true,
      },
    ],
    files: [FILE],
    transfers: [transfer(1)],
    unfinished: [],
    repairs: [{ fileId: 'f', name: 'x', fragments: 2, doneBytes: 1, totalBytes: 9, share: 0.2 }],
    activity: [{ id: 1, atMs: 5, kind: 'device-gone', text: 'gone' }],
    notices: [{ id: 1, atMs: 5, level: 'info', text: 'told' }],
  };
}

function transfer(doneBytes: number): PalmStatus['transfers'][number] {
  return {
    id: 't',
    kind: 'store',
    name: 'x',
    fileId: '',
    phase: 'sealing',
    doneBytes,
    totalBytes: 9,
    bytesPerSecond: 1,
  };
}
