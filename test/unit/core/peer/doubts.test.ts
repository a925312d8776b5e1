// Claims that were not made good: reported once, and only if they still stand after a while; from then on
// they do not count.

import { describe, expect, it } from 'vitest';
import { deviceIdOf, type DeviceId, type FileId } from '../../../../src/core/model/ids.ts';
import { Doubts } from '../../../../src/core/peer/doubts.ts';
import { packFragments } from '../../../../src/core/placement/fragment-set.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt } from '../../../fixtures/pool-fixture.ts';

const [BEN, CYD] = [deviceAt(1).deviceId, deviceAt(2).deviceId];

function at(fragment: number, file = 1): Place {
  return { file: fileIdAt(file), fragment };
}

interface Told {
  readonly doubts: Doubts;
  /** Claims that were withdrawn. */
  readonly withdrawn: Set<string>;
  readonly changed: [DeviceId, FileId | undefined][];
}

function doubting(): Told {
  const withdrawn = new Set<string>();
  const changed: [DeviceId, FileId | undefined][] = [];
  const doubts = new Doubts({
    isClaimed: (device, { file, fragment }) => !withdrawn.has(`${device}/${file}/${fragment}`),
    changed: (device, file) => changed.push([device, file]),
  });
  return { doubts, withdrawn, changed };
}

function withdraw({ withdrawn, doubts }: Told, device: DeviceId, { file, fragment }: Place): void {
  withdrawn.add(`${device}/${file}/${fragment}`);
  doubts.told(device);
}

function claimAgain({ withdrawn, doubts }: Told, device: DeviceId, { file, fragment }: Place): void {
  withdrawn.delete(`${device}/${file}/${fragment}`);
  doubts.told(device);
}

describe('what is reported', () => {
  it('is each claim that still stands, once', () => {
    const { doubts } = doubting();
    for (const fragment of [0, 1, 1, 1]) doubts.notGiven(0, BEN, at(fragment), 'absent');
    doubts.notGiven(5_000, CYD, at(2), 'silent');
    expect(doubts.standing(14_999)).toEqual(new Map());
    expect(doubts.nextDeadlineMs()).toBe(15_000);
    expect(doubts.standing(15_000)).toEqual(new Map([[BEN, 2]]));
    expect(doubts.standing(20_000)).toEqual(new Map([[CYD, 1]]));
    doubts.notGiven(20_000, BEN, at(0), 'absent');
    expect(doubts.nextDeadlineMs()).toBe(Infinity);
  });

  it('is no claim that was withdrawn, but one that is made again and not given again', () => {
    const told = doubting();
    const { doubts } = told;
    doubts.notGiven(0, BEN, at(0), 'absent');
    withdraw(told, BEN, at(0));
    expect(doubts.standing(15_000)).toEqual(new Map());
    claimAgain(told, BEN, at(0));
    doubts.notGiven(20_000, BEN, at(0), 'absent');
    expect(doubts.standing(35_000)).toEqual(new Map([[BEN, 1]]));
  });

  it('is bounded for each device and for all', () => {
    const { doubts } = doubting();
    for (let device = 0; device < 20; device++)
      for (let file = 0; file < 300; file++)
        doubts.notGiven(0, deviceIdOf(seededBytes(32, device)), at(0, file), 'absent');
    const counts = [...doubts.standing(15_000).values()];
    expect(counts).toEqual(Array.from({ length: 16 }, () => 256));
  });
});

describe('what counts of a claim that was not given', () => {
  const counted = (doubts: Doubts, device = BEN, file = 1): number[] => {
    const holders = new Map([[device, new Set([0, 1, 2, 3, 4])]]);
    return [...(doubts.countedOf(fileIdAt(file), holders).get(device) ?? [])];
  };

  it('is all of it until it was looked at again, and then the rest', () => {
    const { doubts, changed } = doubting();
    doubts.notGiven(0, BEN, at(1), 'absent');
    doubts.standing(14_999);
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
    expect(changed).toEqual([]);
    doubts.standing(15_000);
    expect(counted(doubts)).toEqual([0, 2, 3, 4]);
    expect(changed).toEqual([[BEN, fileIdAt(1)]]);
    expect(doubts.isDoubted(BEN, at(1))).toBe(true);
    expect(doubts.countedPacked(BEN, fileIdAt(1), packFragments([0, 1]))).toBe(packFragments([0]));
    expect(counted(doubts, CYD)).toEqual([0, 1, 2, 3, 4]);
    expect(counted(doubts, BEN, 2)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is nothing of what was wrong, from that moment on', () => {
    const { doubts } = doubting();
    doubts.notGiven(0, BEN, at(1), 'wrong');
    expect(counted(doubts)).toEqual([0, 2, 3, 4]);
  });

  it('is all of it where a device was only silent or slow', () => {
    const { doubts, changed } = doubting();
    for (let nowMs = 0; nowMs < 600_000; nowMs += 20_000) {
      for (const fragment of [0, 1, 2, 3, 4]) doubts.notGiven(nowMs, BEN, at(fragment), 'silent');
      doubts.standing(nowMs + 15_000);
    }
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
    expect(changed).toEqual([]);
  });

  it('is all of it where a device that does not claim it has it not', () => {
    const told = doubting();
    withdraw(told, BEN, at(1));
    told.doubts.notGiven(0, BEN, at(1), 'absent');
    // Somebody gives it a copy within the wait.
    claimAgain(told, BEN, at(1));
    expect(told.doubts.standing(15_000)).toEqual(new Map());
    expect(counted(told.doubts)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is all of it once the device gives it or proves it', () => {
    const { doubts } = doubting();
    doubts.notGiven(0, BEN, at(1), 'wrong');
    doubts.proved(BEN, at(1));
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is a claim that is made again with a new copy, but not whenever it is made again', () => {
    const told = doubting();
    const { doubts } = told;
    doubts.notGiven(0, BEN, at(1), 'absent');
    doubts.standing(15_000);
    withdraw(told, BEN, at(1));
    claimAgain(told, BEN, at(1));
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
    doubts.notGiven(20_000, BEN, at(1), 'absent');
    expect(counted(doubts)).toEqual([0, 2, 3, 4]);
    withdraw(told, BEN, at(1));
    claimAgain(told, BEN, at(1));
    expect(counted(doubts)).toEqual([0, 2, 3, 4]);
    doubts.proved(BEN, at(1));
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is nothing unshown of a device that gave several fragments wrong', () => {
    const { doubts } = doubting();
    for (const fragment of [0, 0, 0, 1]) doubts.notGiven(0, BEN, at(fragment), 'wrong');
    expect(doubts.isDistrusted(BEN)).toBe(false);
    doubts.notGiven(0, BEN, at(0, 2), 'wrong');
    expect(doubts.isDistrusted(BEN)).toBe(true);
    expect(counted(doubts, BEN, 7)).toEqual([]);
    doubts.proved(BEN, at(3, 7));
    expect(counted(doubts, BEN, 7)).toEqual([3]);
    expect(counted(doubts, CYD, 7)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is nothing unshown of a device of which many doubted claims stand', () => {
    const { doubts } = doubting();
    for (let file = 0; file < 8; file++) doubts.notGiven(0, BEN, at(0, file), 'absent');
    doubts.standing(15_000);
    expect(doubts.isDistrusted(BEN)).toBe(true);
  });

  it('is all of a device that makes good what it gave wrong, and more', () => {
    const { doubts } = doubting();
    for (const fragment of [0, 1, 2]) doubts.notGiven(0, BEN, at(fragment), 'wrong');
    for (const fragment of [3, 4]) doubts.proved(BEN, at(fragment));
    doubts.proved(BEN, at(0, 9));
    expect(doubts.isDistrusted(BEN)).toBe(true);
    for (const fragment of [0, 1, 2]) doubts.proved(BEN, at(fragment));
    expect(doubts.isDistrusted(BEN)).toBe(false);
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
  });
});
