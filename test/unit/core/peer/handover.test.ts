// Handovers of rebuilt fragments on virtual time, against devices that the test plays: they end, whatever
// these do.

import { expect, test } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { Challenges } from '../../../../src/core/peer/challenges.ts';
import { Handover } from '../../../../src/core/peer/handover.ts';
import { NO_ANCHORS } from '../../../../src/core/placement/anchors.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { deviceAt, fileIdAt, manifestOf } from '../../../fixtures/pool-fixture.ts';

const FILE = fileIdAt(0);
const SELF = deviceAt(0).deviceId;
const TAKER = deviceAt(1).deviceId;
const OFFER_DEADLINE_MS = 30_000;
const PATIENCE_MS = 120_000;
const HOUR_MS = 60 * 60_000;

/** One fragment to hand over, and one device that may take it. */
class Pool {
  readonly challenges = new Challenges({ canProve: () => true, proofBlocksOf: () => 8 });
  readonly held = new Map<DeviceId, Set<number>>();
  readonly offers: Place[] = [];
  readonly handover = new Handover(
    {
      self: SELF,
      manifestOf: () => manifestOf(SELF),
      claimedHoldersOf: () => new Map(this.held),
      anchorsOf: () => NO_ANCHORS,
      takers: () => [{ device: TAKER, freeBytes: 2 ** 40 }],
    },
    this.challenges,
  );
  ending: { readonly isDone: boolean; readonly atMs: number } | undefined;
  nowMs = 0;

  constructor() {
    this.handover.add(0, FILE, new Map([[3, TAKER]]));
    this.step();
  }

  pass(ms: number): void {
    const endMs = this.nowMs + ms;
    for (let next = this.handover.nextDeadlineMs(); next <= endMs; next = this.handover.nextDeadlineMs()) {
      this.nowMs = Math.max(this.nowMs, next);
      this.step();
    }
    this.nowMs = endMs;
  }

  step(): void {
    for (const effect of this.handover.advance(this.nowMs)) {
      if (effect.kind === 'handover-over') this.ending = { isDone: effect.isDone, atMs: this.nowMs };
      else if (effect.message.kind === 'place') this.offers.push(...effect.message.places);
    }
  }
}

test('a device that never fetches what it is offered does not keep a handover open', () => {
  const pool = new Pool();
  pool.pass(HOUR_MS);
  expect(pool.ending?.isDone).toBe(false);
  expect(pool.ending?.atMs).toBeLessThanOrEqual(PATIENCE_MS + OFFER_DEADLINE_MS);
});

test('a device that fetches slowly is waited for', () => {
  const pool = new Pool();
  for (let at = 0; at < 20; at++) {
    pool.handover.progressed(pool.nowMs, TAKER);
    pool.pass(OFFER_DEADLINE_MS / 2);
  }
  expect(pool.ending).toBeUndefined();
  expect(pool.offers).toHaveLength(1);
});

test('a device that claims what is handed over, and withdraws it in turn, does not keep it open', () => {
  const pool = new Pool();
  for (let at = 0; at < 60; at++) {
    if (at % 2 === 0) pool.held.set(TAKER, new Set([3]));
    else pool.held.delete(TAKER);
    pool.handover.touch(FILE);
    pool.step();
    pool.pass(35_000);
  }
  expect(pool.ending?.isDone).toBe(false);
  expect(pool.ending?.atMs).toBeLessThanOrEqual(PATIENCE_MS + 2 * OFFER_DEADLINE_MS);
});
