// When a content that was stored anew may take the old one's place: not while it could be lost where the old
// one could not.

import { expect, it } from 'vitest';
import type { DeviceId, FileId } from '../../../../src/core/model/ids.ts';
import { isAsSafe } from '../../../../src/runtime/rekey/swapping.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const OLD = 'old' as FileId; // only compared
const NEW = 'new' as FileId;
const K = 2;
const [GONE, EVICTABLE] = [deviceAt(6).deviceId, deviceAt(7).deviceId];

function at(index: number): DeviceId {
  return deviceAt(index).deviceId;
}

/** Each device holds the fragment of its place in the list. */
function isFit(old: readonly DeviceId[], renewed: readonly DeviceId[]): boolean {
  const holders = new Map([
    [OLD, old],
    [NEW, renewed],
  ]);
  const peer: Parameters<typeof isAsSafe>[0] = {
    catalogue: { manifestOf: () => ({ k: K }) },
    membership: { isEvictable: (device) => device === EVICTABLE },
    isGone: (device) => device === GONE,
    confirmedHoldersOf: (file) =>
      new Map(holders.get(file)?.map((device, fragment) => [device, new Set([fragment])])),
  };
  return isAsSafe(peer, NEW, OLD);
}

it('wants as many fragments, and as large a margin, on devices that are not gone', () => {
  expect(isFit([at(1), at(2), at(3)], [at(1), at(2), at(3)])).toBe(true);
  expect(isFit([at(1), at(2), at(3)], [at(1), at(2)])).toBe(false);
  expect(isFit([at(1), at(2), at(3)], [at(1), at(2), GONE])).toBe(false);
  expect(isFit([at(1), at(2), GONE], [at(1), at(2)])).toBe(true);
});

it('leaves no file that lasts to devices that delete', () => {
  expect(isFit([at(1), at(2), at(3)], [at(1), at(2), EVICTABLE])).toBe(false);
  expect(isFit([at(1), at(2), at(3), at(4)], [at(1), at(2), at(3), EVICTABLE])).toBe(true);
  // What does not last anyway need not last anew.
  expect(isFit([at(1), EVICTABLE], [at(2), EVICTABLE])).toBe(true);
  expect(isFit([at(1), at(2), EVICTABLE], [at(1), EVICTABLE, at(2)])).toBe(true);
});
