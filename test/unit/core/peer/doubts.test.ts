// Claims that were not honoured are reported once, and only if they still stand after a while.

import { expect, it } from 'vitest';
import { Doubts } from '../../../../src/core/peer/doubts.ts';
import { deviceAt, fileIdAt } from '../../../fixtures/pool-fixture.ts';

const [BEN, CYD] = [deviceAt(1).deviceId, deviceAt(2).deviceId];
const always = (): boolean => true;

it('counts each claim that still stands, once', () => {
  const doubts = new Doubts();
  for (const fragment of [0, 1, 1, 1]) doubts.notGiven(0, BEN, fileIdAt(1), fragment);
  doubts.notGiven(5_000, CYD, fileIdAt(1), 2);
  expect(doubts.standing(14_999, always)).toEqual(new Map());
  expect(doubts.nextDeadlineMs()).toBe(15_000);
  expect(doubts.standing(15_000, always)).toEqual(new Map([[BEN, 2]]));
  expect(doubts.standing(20_000, always)).toEqual(new Map([[CYD, 1]]));
  doubts.notGiven(20_000, BEN, fileIdAt(1), 0);
  expect(doubts.nextDeadlineMs()).toBe(Infinity);
});

it('forgets withdrawn claims, and doubts them again when they are made again', () => {
  const doubts = new Doubts();
  doubts.notGiven(0, BEN, fileIdAt(1), 0);
  expect(doubts.standing(15_000, () => false)).toEqual(new Map());
  doubts.notGiven(20_000, BEN, fileIdAt(1), 0);
  expect(doubts.standing(35_000, always)).toEqual(new Map([[BEN, 1]]));
});

it('is bounded for each device and for all', () => {
  const doubts = new Doubts();
  for (let device = 0; device < 8; device++) {
    for (let file = 0; file < 300; file++) doubts.notGiven(0, deviceAt(device).deviceId, fileIdAt(file), 0);
  }
  const counts = [...doubts.standing(15_000, always).values()];
  expect(counts).toEqual(Array.from({ length: 8 }, () => 256));
});
