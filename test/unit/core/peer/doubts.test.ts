// Claims that were not made good: reported, but only if they still stand after a while; from then on they do
// not count. And what a liar can do about it.

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

describe('what is reported of a liar', () => {
  it('is bounded, however often it withdraws its claims and makes them again', () => {
    const told = doubting();
    let toldCount = 0;
    for (let round = 0; round < 20; round++)
      for (let file = 0; file < 300; file++) {
        const nowMs = (round * 300 + file) * 40_000;
        const place = at(round % 2, file);
        told.doubts.notGiven(nowMs, BEN, place, 'silent');
        toldCount += told.doubts.standing(nowMs + 15_000).get(BEN) ?? 0;
        withdraw(told, BEN, place);
        claimAgain(told, BEN, place);
      }
    expect(toldCount).toBe(512);
  });

  it('is one claim twice at most', () => {
    const told = doubting();
    let toldCount = 0;
    for (let round = 0; round < 10; round++) {
      told.doubts.notGiven(round * 40_000, BEN, at(0), 'silent');
      toldCount += told.doubts.standing(round * 40_000 + 15_000).get(BEN) ?? 0;
      withdraw(told, BEN, at(0));
      claimAgain(told, BEN, at(0));
    }
    expect(toldCount).toBe(2);
  });
});

describe('what is remembered', () => {
  it.each(['wrong', 'absent'] as const)(
    'has room for a claim that turns out %s, however often its device was silent',
    (evidence) => {
      for (const isReported of [true, false]) {
        const { doubts } = doubting();
        for (let file = 0; file < 300; file++) doubts.notGiven(0, BEN, at(0, file), 'silent');
        if (isReported) doubts.standing(15_000);
        for (let file = 400; file < 410; file++) doubts.notGiven(16_000, BEN, at(0, file), evidence);
        doubts.standing(31_000);
        expect(doubts.isDoubted(BEN, at(0, 400)), `reported: ${isReported}`).toBe(true);
        expect(doubts.isDistrusted(BEN)).toBe(true);
      }
    },
  );

  it('is nothing more of a distrusted device, which would leave no room for others', () => {
    const { doubts } = doubting();
    for (let device = 0; device < 20; device++) {
      const liar = deviceIdOf(seededBytes(32, device));
      for (let file = 0; file < 300; file++) doubts.notGiven(0, liar, at(0, file), 'wrong');
      expect(doubts.isDistrusted(liar)).toBe(true);
      for (let file = 300; file < 600; file++) doubts.notGiven(0, liar, at(0, file), 'absent');
    }
    // Each is distrusted after three claims: there is nothing to report of the others.
    expect([...doubts.standing(15_000).values()]).toEqual(Array.from({ length: 20 }, () => 3));
    doubts.notGiven(16_000, BEN, at(0), 'wrong');
    expect(doubts.isDoubted(BEN, at(0))).toBe(true);
  });

  it('are eight of the claims that are looked at together: then the device is distrusted', () => {
    const { doubts } = doubting();
    for (let device = 0; device < 20; device++)
      for (let file = 0; file < 250; file++)
        doubts.notGiven(0, deviceIdOf(seededBytes(32, device)), at(0, file), 'absent');
    doubts.standing(15_000);
    doubts.notGiven(16_000, BEN, at(0), 'wrong');
    expect(doubts.isDoubted(BEN, at(0))).toBe(true);
  });

  it('gives way where claims are gone, whether their device said so or their file is gone', () => {
    const { doubts, withdrawn } = doubting();
    for (let file = 0; file < 256; file++) doubts.notGiven(0, BEN, at(0, file), 'absent');
    for (let file = 0; file < 256; file++) withdrawn.add(`${BEN}/${fileIdAt(file)}/0`);
    doubts.notGiven(0, BEN, at(0, 300), 'wrong');
    expect(doubts.isDoubted(BEN, at(0, 300))).toBe(true);
  });

  it('keeps no device distrusted for files that are gone', () => {
    const { doubts, withdrawn } = doubting();
    for (const fragment of [0, 1, 2]) doubts.notGiven(0, BEN, at(fragment), 'wrong');
    for (const fragment of [0, 1, 2]) withdrawn.add(`${BEN}/${fileIdAt(1)}/${fragment}`);
    for (const fragment of [0, 1, 2]) doubts.proved(BEN, at(fragment, 2));
    expect(doubts.isDistrusted(BEN)).toBe(false);
  });
});

describe('a device that did not give a fragment', () => {
  it('is given no more of the file, and of others, until it withdraws the claim or makes it good', () => {
    for (const makeGood of [true, false]) {
      const told = doubting();
      const { doubts } = told;
      doubts.notGiven(0, BEN, at(1), 'absent');
      expect(doubts.isPassedOver(BEN, fileIdAt(1))).toBe(false);
      doubts.standing(15_000);
      expect(doubts.isPassedOver(BEN, fileIdAt(1))).toBe(true);
      expect([doubts.isPassedOver(BEN, fileIdAt(2)), doubts.isPassedOver(BEN)]).toEqual([false, false]);
      if (makeGood) doubts.proved(BEN, at(1));
      else withdraw(told, BEN, at(1));
      expect(doubts.isPassedOver(BEN, fileIdAt(1)), `made good: ${makeGood}`).toBe(false);
    }
  });

  it('made it good and then does not give it again is held to that, and is given no more of the file', () => {
    const told = doubting();
    const { doubts } = told;
    doubts.notGiven(0, BEN, at(1), 'absent');
    doubts.standing(15_000);
    doubts.proved(BEN, at(1));
    expect(doubts.isDoubted(BEN, at(1))).toBe(false);
    doubts.notGiven(20_000, BEN, at(1), 'absent');
    expect(doubts.isDoubted(BEN, at(1))).toBe(true);
    withdraw(told, BEN, at(1));
    expect(doubts.isPassedOver(BEN, fileIdAt(1))).toBe(true);
    claimAgain(told, BEN, at(1));
    doubts.proved(BEN, at(1));
    // What it shows to have counts; but it has had its second chance.
    expect(doubts.isDoubted(BEN, at(1))).toBe(false);
    expect(doubts.isPassedOver(BEN, fileIdAt(1))).toBe(true);
    expect(doubts.isPassedOver(BEN, fileIdAt(2))).toBe(false);
  });

  it('is held to it also after it was distrusted and trusted again', () => {
    const { doubts } = doubting();
    for (const fragment of [0, 1, 2]) doubts.notGiven(0, BEN, at(fragment), 'wrong');
    for (const fragment of [0, 1, 2]) doubts.proved(BEN, at(fragment));
    expect(doubts.isDistrusted(BEN)).toBe(false);
    doubts.notGiven(0, BEN, at(0), 'absent');
    expect(doubts.isDoubted(BEN, at(0))).toBe(true);
    expect(doubts.isPassedOver(BEN, fileIdAt(1))).toBe(true);
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

  it('is all of it again once an audit of it goes well, but not the third time', () => {
    const { doubts } = doubting();
    for (const time of [1, 2]) {
      doubts.notGiven(time, BEN, at(1), 'wrong');
      doubts.given(0, BEN, at(2));
      expect(counted(doubts), `time ${time}`).toEqual([0, 2, 3, 4]);
      doubts.given(0, BEN, at(1));
      expect(counted(doubts), `time ${time}`).toEqual([0, 1, 2, 3, 4]);
    }
    doubts.notGiven(3, BEN, at(1), 'wrong');
    doubts.given(0, BEN, at(1));
    expect(counted(doubts)).toEqual([0, 2, 3, 4]);
    doubts.proved(BEN, at(1));
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
  });

  it('is all of a distrusted device once audits of all that was doubted go well', () => {
    const { doubts } = doubting();
    for (const fragment of [0, 1, 2]) doubts.notGiven(0, BEN, at(fragment), 'wrong');
    for (const fragment of [3, 4]) doubts.given(0, BEN, at(fragment));
    for (const fragment of [0, 1]) doubts.given(0, BEN, at(fragment));
    expect(doubts.isDistrusted(BEN)).toBe(true);
    doubts.given(0, BEN, at(2));
    expect(doubts.isDistrusted(BEN)).toBe(false);
    expect(counted(doubts)).toEqual([0, 1, 2, 3, 4]);
  });
});
