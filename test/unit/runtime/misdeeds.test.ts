// What members do to the others is reported: who, what, how many. One notice covers a thousand of a kind.

import { describe, expect, it } from 'vitest';
import {
  MANY_REMOVALS,
  Removals,
  REMOVALS_WITHIN_MS,
  type Misdeed,
} from '../../../src/core/peer/misdeeds.ts';
import { deviceIdOf, type DeviceId } from '../../../src/core/model/ids.ts';
import type { Notice, QuotedDevice } from '../../../src/runtime/notice.ts';
import { Notices } from '../../../src/runtime/notices.ts';
import { seededBytes } from '../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';

const MISDEEDS = [
  'removed-files',
  'forged-records',
  'forked-log',
  'overfull-log',
  'false-claims',
  'false-equal',
  'future-name',
  'withheld',
] as const;

const BEN = deviceAt(1).deviceId;
const EVE = deviceAt(2).deviceId;

describe('removals of others’ files', () => {
  it('are reported once there are many within an hour, first all together and then each', () => {
    const removals = new Removals();
    for (let count = 1; count < MANY_REMOVALS; count++) expect(removals.counted(BEN, 1, 5)).toBe(0);
    expect(removals.counted(EVE, 3, 6)).toBe(0);
    expect(removals.counted(BEN, 4, 7)).toBe(MANY_REMOVALS + 3);
    expect(removals.counted(BEN, 2, 8)).toBe(2);
    expect(removals.counted(BEN, 2, 6 + REMOVALS_WITHIN_MS)).toBe(0);
  });
});

describe('a notice that counts', () => {
  it('takes one place however often it happens, and returns when the number has doubled', () => {
    const notices = new Notices();
    notices.add(1, 'info', { kind: 'nobody-answers' });
    const ids = new Set<number>();
    for (let time = 0; time < 1_000; time++) {
      notices.addMisdeed(time, 'warning', 'forged-records', quoted(BEN), 3);
      for (const { id } of notices.list()) ids.add(id);
    }
    notices.addMisdeed(9, 'warning', 'forged-records', quoted(EVE), 1);
    expect(noticesOf(notices)).toEqual([
      { kind: 'nobody-answers' },
      { kind: 'misdeed', what: 'forged-records', device: quoted(BEN), count: 3_000 },
      { kind: 'misdeed', what: 'forged-records', device: quoted(EVE), count: 1 },
    ]);
    expect(ids.size).toBeLessThan(13);
  });
});

it('equal notices in a row are one, the newest', () => {
  const notices = new Notices();
  const failure = { code: 'storage-full', reason: 'device' } as const;
  notices.add(1, 'warning', { kind: 'failure', failure });
  notices.add(2, 'warning', { kind: 'failure', failure: { ...failure } });
  notices.add(3, 'warning', { kind: 'failure', failure: { code: 'storage-full', reason: 'download' } });
  expect(notices.list().map(({ atMs }) => atMs)).toEqual([2, 3]);
});

describe('notices of made-up devices', () => {
  const DEVICES = Array.from({ length: 2_000 }, (_, index) => deviceIdOf(seededBytes(32, index)));

  const madeUp = (notices: Notices, what: Misdeed, deviceCount: number): void => {
    for (const device of DEVICES.slice(0, deviceCount))
      notices.addMisdeed(9, 'warning', what, quoted(device), 2);
  };

  it('are five of a kind by name, and one for all others with their number', () => {
    const notices = new Notices();
    madeUp(notices, 'forged-records', 17);
    // Again by the same devices: they take no more places, and no device is counted twice.
    madeUp(notices, 'forged-records', 17);
    madeUp(notices, 'withheld', 2);
    const named = (what: Misdeed, index: number, count: number): Notice => ({
      kind: 'misdeed',
      what,
      device: quoted(DEVICES[index] ?? BEN),
      count,
    });
    const expected: Notice[] = [
      ...[0, 1, 2, 3, 4].map((index) => named('forged-records', index, 4)),
      { kind: 'misdeed-of-others', what: 'forged-records', deviceCount: 12, count: 48 },
      ...[0, 1].map((index) => named('withheld', index, 2)),
    ];
    expect(noticesOf(notices)).toHaveLength(expected.length);
    expect(noticesOf(notices)).toEqual(expect.arrayContaining(expected));
  });

  it('push out no notice about this device, nor about the misdeeds of others', () => {
    const notices = new Notices();
    for (let count = 0; count < 50; count++) notices.add(count, 'error', { kind: 'rows-left-out', count });
    for (const what of MISDEEDS) madeUp(notices, what, 2_000);
    for (const [index, device] of DEVICES.entries()) {
      notices.add(60, 'warning', { kind: 'damaged-offer', from: quoted(device) });
      notices.add(61, 'warning', { kind: 'other-version', device: quoted(device), isOlder: true });
      const rejection = { kind: 'letter', detail: `${index}` } as const;
      notices.add(62, 'warning', { kind: 'rejection', rejection });
    }
    const told = noticesOf(notices);
    const own = told.flatMap((notice) => (notice.kind === 'rows-left-out' ? [notice.count] : []));
    expect(own).toEqual(Array.from({ length: 50 }, (_, count) => count));
    expect(told).toHaveLength(50 + 6 * MISDEEDS.length + 3 * 5);
    // Of the notices that others cause, the newest.
    const [newest = BEN] = DEVICES.slice(-1);
    expect(told).toContainEqual({ kind: 'other-version', device: quoted(newest), isOlder: true });
  });
});

function quoted(id: DeviceId): QuotedDevice {
  return { id, name: `named ${id}`, isAmbiguous: false };
}

function noticesOf(notices: Notices): readonly Notice[] {
  return notices.list().map(({ notice }) => notice);
}
