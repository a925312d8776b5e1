// Damaged copies of a file that a device places: it rebuilds them for itself, and its outbox waits for that.

import { expect, test } from 'vitest';
import { deviceIdOf, type DeviceId, type FileId } from '../../../../src/core/model/ids.ts';
import { Challenges } from '../../../../src/core/peer/challenges.ts';
import { NO_ANCHORS } from '../../../../src/core/placement/anchors.ts';
import { Outbox } from '../../../../src/core/peer/outbox.ts';
import { RepairPlan, type RepairEffect } from '../../../../src/core/repair/repair-plan.ts';
import { answerChallenges } from '../../../fixtures/challenge-answers.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { fileIdAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';

const [SELF, HOME, OTHER] = [deviceAt(0), deviceAt(1), deviceAt(2)] as const;
const FILE = fileIdAt(1);
const SETTLE_MS = 2_000;

function deviceAt(index: number): DeviceId {
  return deviceIdOf(seededBytes(32, 300 + index));
}

/** The plan of SELF, which places FILE, with `own` of 4 of 8; HOME has fragment 6. */
function planWith(own: readonly number[], unreachable: ReadonlySet<DeviceId> = new Set()): RepairPlan {
  const geometry = { size: 1_000, k: 4, n: 8, blockBytes: 65_536 };
  const file = { ...geometry, salt: seededBytes(32, 1), by: SELF };
  return new RepairPlan({
    self: SELF,
    files: () => new Map([[FILE, file]]),
    holdersOf: () =>
      new Map([
        [SELF, new Set(own)],
        [HOME, new Set([6])],
      ]),
    isGone: () => false,
    isReachable: (device) => !unreachable.has(device),
    // It offers nothing: what it stores itself is not part of that.
    candidates: () => [SELF, HOME, OTHER].map((device) => ({ device, freeBytes: 0 })),
    isPlacing: () => true,
    hasDamaged: () => false,
    anchorsOf: () => NO_ANCHORS,
    askedAgain: () => undefined,
    meetsRarely: () => false,
    share: () => 0.2,
  });
}

function begun(plan: RepairPlan, untilMs: number, fromMs = 0): RepairEffect[] {
  const effects: RepairEffect[] = [];
  for (let atMs = fromMs; atMs <= untilMs; atMs += 500)
    effects.push(...plan.handle(atMs, { kind: 'changed' }));
  return effects;
}

test('the device that places a file rebuilds its damaged copies within moments, and keeps them', () => {
  const homes = new Map([5, 6].map((fragment) => [fragment, SELF]));
  const rebuild = { kind: 'rebuild', file: FILE, homes, lostWith: [] };
  expect(begun(planWith([0, 1, 2, 3, 4, 7]), SETTLE_MS + 500)).toEqual([rebuild]);
});

test('with too few sound copies it waits for the devices that have the rest', () => {
  const unreachable = new Set([HOME]);
  const plan = planWith([0, 1, 2], unreachable);
  expect(begun(plan, 60_000)).toEqual([]);
  unreachable.clear();
  expect(begun(plan, 62_000, 60_500)).toHaveLength(1);
});

test('the outbox waits while a copy is rebuilt', () => {
  const manifest = manifestOf(SELF, { k: 2, n: 3, fragments: manifestOf(SELF).fragments.slice(0, 3) });
  const own = new Set(indicesOf(3));
  const homes = new Map([
    [HOME, new Set([itemAt([...own], 1)])],
    [OTHER, new Set([itemAt([...own], 2)])],
  ]);
  let isRebuilding = true;
  const challenges = new Challenges({ canProve: () => true, proofBlocksOf: () => 1 });
  const outbox = new Outbox(
    {
      self: SELF,
      manifestOf: (file: FileId) => (file === FILE ? manifest : undefined),
      ownOf: () => own,
      holdersOf: () => new Map(homes),
      candidates: () => [SELF, HOME, OTHER].map((device) => ({ device, freeBytes: 2 ** 40 })),
      isReachable: () => true,
      anchorsOf: () => NO_ANCHORS,
      isRebuilding: () => isRebuilding,
    },
    challenges,
  );
  const kinds = (): string[] => {
    outbox.touch(FILE);
    const all: string[] = [];
    do all.push(...outbox.advance(0).map(({ kind }) => kind));
    while (answerChallenges(challenges, outbox, 0));
    return all;
  };
  outbox.add(FILE);
  expect(kinds()).toEqual([]);
  isRebuilding = false;
  expect(kinds()).toEqual(['outbox-done']);
});

test('a claim that could not be judged is put to the proof again once the copy is back', () => {
  const challenges = new Challenges({ canProve: () => true, proofBlocksOf: () => 1 });
  const claims = new Map([[HOME, new Set([1])]]);
  /** Outcomes of what is put to the proof now; the right answer is `expected`, by the copy that is here. */
  const outcomes = (expected: Uint8Array | undefined): string[] => {
    challenges.want(0, FILE, claims);
    for (const effect of challenges.start()) if (effect.kind === 'round') challenges.roundReady(effect.round);
    return challenges.start().flatMap((effect) => {
      if (effect.kind !== 'challenge') return [];
      challenges.ready(0, HOME, effect.id, [expected]);
      return challenges.proof(0, HOME, effect.id, [Uint8Array.of(1)]).map(({ outcome }) => outcome);
    });
  };
  expect(outcomes(undefined)).toEqual(['unknowable']);
  expect(outcomes(Uint8Array.of(1))).toEqual([]);
  challenges.copyIsBack(FILE, 1);
  expect(outcomes(Uint8Array.of(1))).toEqual(['proved']);
});
