// Which devices count as answering and yet out of reach. It sees only effects of the link machine.

import { describe, expect, it } from 'vitest';
import type { LinkEffect } from '../../../../src/core/links/link-events.ts';
import { newLinkId, newSessionId } from '../../../../src/core/links/link-ids.ts';
import { LinkTrials } from '../../../../src/core/links/link-trials.ts';
import { MAX_DEVICE_COUNT } from '../../../../src/core/model/limits.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const SESSION = newSessionId(1_700_000_000_000, new Uint8Array(10));
const BEN = deviceAt(1).deviceId;
const [FIRST, SECOND] = [newLinkId(SESSION, 1), newLinkId(SESSION, 2)];

const create = (initiator: boolean, link = FIRST, device = BEN): LinkEffect => {
  return { kind: 'create', device, link, initiator };
};
const apply = (kind: 'offer' | 'answer', link = FIRST, device = BEN): LinkEffect => {
  return { kind: 'apply', device, link, signal: { kind, sdp: '' } };
};
const destroy = (link = FIRST, device = BEN): LinkEffect => {
  return { kind: 'destroy', device, link, goodbye: false };
};
const up = (link = FIRST): LinkEffect => ({ kind: 'link-up', device: BEN, session: SESSION, link });

function after(...told: readonly (readonly [atMs: number, effect: LinkEffect])[]): LinkTrials {
  const trials = new LinkTrials();
  for (const [atMs, effect] of told) trials.take(atMs, effect);
  return trials;
}

describe('an attempt', () => {
  it('of ours that was answered and came to nothing counts, and how long ago', () => {
    const trials = after([0, create(true)], [200, apply('answer')], [10_000, destroy()]);
    const failed = { device: BEN, isTrying: false, failedCount: 1, failedForMs: 5_000 };
    expect(trials.list(15_000)).toEqual([failed]);
  });

  it('of theirs counts: they offer only to whom they heard', () => {
    const trials = after([0, create(false)], [0, apply('offer')], [10_000, destroy()]);
    expect(trials.list(10_000)).toMatchObject([{ failedCount: 1 }]);
  });

  it('that nobody answered does not count: the other may be asleep', () => {
    expect(after([0, create(true)], [10_000, destroy()]).list(10_000)).toEqual([]);
  });

  it('that was displaced soon does not count, as by a reload', () => {
    const trials = after([0, create(true)], [200, apply('answer')], [3_000, destroy()]);
    expect(trials.list(3_000)).toEqual([]);
  });

  it('under way shows once it was answered', () => {
    expect(after([0, create(true)]).list(0)).toEqual([]);
    const answered = after([0, create(true)], [200, apply('answer')]);
    expect(answered.list(300)).toMatchObject([{ isTrying: true, failedCount: 0, failedForMs: Infinity }]);
  });

  it('is not answered by what belongs to an earlier one', () => {
    const trials = after([0, create(true, SECOND)], [1, apply('answer', FIRST)], [9_000, destroy(SECOND)]);
    expect(trials.list(9_000)).toEqual([]);
  });

  it('is not ended by the end of an earlier one', () => {
    const trials = after([0, create(true, SECOND)], [1, apply('answer', SECOND)], [9_000, destroy(FIRST)]);
    expect(trials.list(9_000)).toMatchObject([{ isTrying: true, failedCount: 0 }]);
  });
});

it('failures add up until a link comes up', () => {
  const failing = [
    [0, create(true)],
    [1, apply('answer')],
    [10_000, destroy()],
    [11_000, create(true, SECOND)],
    [11_001, apply('answer', SECOND)],
    [21_000, destroy(SECOND)],
  ] as const;
  expect(after(...failing).list(21_000)).toMatchObject([{ failedCount: 2, failedForMs: 0 }]);
  const linked = after(...failing, [22_000, create(true)], [22_001, apply('answer')], [22_100, up()]);
  expect(linked.list(22_200)).toEqual([]);
  // The end of a link is no failed attempt.
  linked.take(90_000, destroy());
  expect(linked.list(90_000)).toEqual([]);
});

it('remembers no more devices than a pool may have', () => {
  const trials = new LinkTrials();
  for (let index = 0; index <= MAX_DEVICE_COUNT; index++) {
    // Only their number matters, not how they were made.
    const device = `device-${index}` as typeof BEN;
    for (const [atMs, effect] of [
      [0, create(true, FIRST, device)],
      [1, apply('answer', FIRST, device)],
      [10_000, destroy(FIRST, device)],
    ] as const)
      trials.take(atMs + index, effect);
  }
  expect(trials.list(0)).toHaveLength(MAX_DEVICE_COUNT);
});
