// Audits without an answer: one means nothing, three over a minute do.

import { describe, expect, it } from 'vitest';
import { Unanswered } from '../../../../src/core/peer/unanswered.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { deviceAt, fileIdAt } from '../../../fixtures/pool-fixture.ts';

const [BEN, CYD] = [deviceAt(1).deviceId, deviceAt(2).deviceId];

function at(fragment: number): Place {
  return { file: fileIdAt(1), fragment };
}

describe('what a device was asked for in vain', () => {
  it('counts no longer when it gave nothing three times in a row, over a minute', () => {
    const unanswered = new Unanswered();
    expect(unanswered.missed(0, BEN, at(0))).toEqual([]);
    expect(unanswered.missed(30_000, BEN, at(1))).toEqual([]);
    expect(unanswered.missed(59_999, BEN, at(2))).toEqual([]);
    expect(unanswered.missed(60_000, BEN, at(3))).toEqual([at(0), at(1), at(2), at(3)]);
  });

  it('does not when there were only two, however long it took', () => {
    const unanswered = new Unanswered();
    unanswered.missed(0, BEN, at(0));
    expect(unanswered.missed(9_000_000, BEN, at(1))).toEqual([]);
  });

  it('is told of each device apart', () => {
    const unanswered = new Unanswered();
    for (const nowMs of [0, 30_000]) unanswered.missed(nowMs, BEN, at(0));
    expect(unanswered.missed(60_000, CYD, at(0))).toEqual([]);
  });

  it('is begun anew when it gives something, but for the same fragment', () => {
    const unanswered = new Unanswered();
    for (const nowMs of [0, 30_000]) unanswered.missed(nowMs, BEN, at(0));
    unanswered.given(BEN, at(1));
    expect(unanswered.missed(60_000, BEN, at(2))).toEqual([]);
    expect(unanswered.missed(90_000, BEN, at(0))).toEqual([at(0)]);
  });

  it('is forgotten when it gives that', () => {
    const unanswered = new Unanswered();
    for (const nowMs of [0, 30_000]) unanswered.missed(nowMs, BEN, at(0));
    unanswered.given(BEN, at(0));
    expect(unanswered.missed(90_000, BEN, at(0))).toEqual([]);
  });
});
