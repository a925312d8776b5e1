// Claims that are put to the proof: what a device can and cannot achieve by claiming, withdrawing and keeping
// silent.

import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import {
  CHALLENGE_DEADLINE_MS,
  CHALLENGE_RETRY_MS,
  MAX_CHALLENGE_BLOCKS,
} from '../../../../src/core/model/limits.ts';
import { Challenges } from '../../../../src/core/peer/challenges.ts';
import { deviceAt, fileIdAt } from '../../../fixtures/pool-fixture.ts';

const FILE = fileIdAt(0);
const [A, B] = [deviceAt(1).deviceId, deviceAt(2).deviceId];
const RIGHT = Uint8Array.of(1);
const WRONG = Uint8Array.of(2);
const NO_CLAIMS: ReadonlyMap<DeviceId, ReadonlySet<number>> = new Map();

function challengesOf(blocks = 8): Challenges {
  return new Challenges({ canProve: () => true, proofBlocksOf: () => blocks });
}

function claimsOf(device: DeviceId, ...fragments: readonly number[]): Map<DeviceId, ReadonlySet<number>> {
  return new Map([[device, new Set(fragments)]]);
}

/** Sends what can be sent; returns the fragments that each device is asked for. */
function askAll(challenges: Challenges, nowMs: number): { to: DeviceId; id: number; fragments: number[] }[] {
  const begun = challenges.start();
  for (const effect of begun) if (effect.kind === 'round') challenges.roundReady(effect.round);
  return [...begun, ...challenges.start()].flatMap((effect) => {
    if (effect.kind !== 'challenge') return [];
    const { to, id, places } = effect;
    challenges.ready(
      nowMs,
      to,
      id,
      places.map(() => RIGHT),
    );
    return [{ to, id, fragments: places.map(({ fragment }) => fragment) }];
  });
}

describe('a claim that failed', () => {
  it('is not challenged again before its time, even if it is withdrawn and made again', () => {
    const challenges = challengesOf();
    const claims = claimsOf(A, 0, 1);
    challenges.want(0, FILE, claims);
    const [asked] = askAll(challenges, 0);
    if (asked === undefined) throw new Error('expected a challenge');
    challenges.proof(0, A, asked.id, [WRONG, undefined]);
    for (let nowMs = 0; nowMs < CHALLENGE_RETRY_MS; nowMs += 100) {
      challenges.claimed(nowMs, FILE, NO_CLAIMS);
      challenges.claimed(nowMs, FILE, claims);
      expect(challenges.want(nowMs, FILE, claims)).toBe(0);
      expect(challenges.believedOf(FILE, claims).size).toBe(0);
    }
    expect(challenges.want(CHALLENGE_RETRY_MS, FILE, claims)).toBe(2);
  });

  it('waits twice as long each time, and starts over once its device proved something', () => {
    const challenges = challengesOf();
    const claims = claimsOf(A, 0);
    let nowMs = 0;
    const waits: number[] = [];
    for (let time = 0; time < 4; time++) {
      challenges.want(nowMs, FILE, claims);
      askAll(challenges, nowMs);
      nowMs += CHALLENGE_DEADLINE_MS;
      expect(challenges.tick(nowMs)).toMatchObject([{ outcome: 'silent' }]);
      const failedAtMs = nowMs;
      while (challenges.want(nowMs, FILE, claims) === 0) nowMs += 1_000;
      waits.push(nowMs - failedAtMs);
      if (time < 3) challenges.linkDown(nowMs, A);
    }
    expect(waits).toEqual([1, 2, 4, 8].map((times) => times * CHALLENGE_RETRY_MS));
    const [asked] = askAll(challenges, nowMs);
    if (asked === undefined) throw new Error('expected a challenge');
    challenges.proof(nowMs, A, asked.id, [RIGHT]);
    challenges.want(nowMs, FILE, claimsOf(A, 0, 1));
    askAll(challenges, nowMs);
    nowMs += CHALLENGE_DEADLINE_MS;
    challenges.tick(nowMs);
    expect(challenges.want(nowMs + CHALLENGE_RETRY_MS, FILE, claimsOf(A, 1))).toBe(1);
  });

  it('includes one that is withdrawn during its challenge', () => {
    const challenges = challengesOf();
    const claims = claimsOf(A, 0);
    challenges.want(0, FILE, claims);
    askAll(challenges, 0);
    challenges.claimed(1, FILE, NO_CLAIMS);
    expect(challenges.pendingCount(FILE)).toBe(0);
    expect(challenges.want(1, FILE, claims)).toBe(0);
  });
});

describe('the queue of claims to challenge', () => {
  it('is no longer than the claims, however often they are withdrawn and made again', () => {
    const challenges = challengesOf();
    const other = fileIdAt(1);
    const claims = claimsOf(A, 0, 1, 2);
    // A challenge of another file is under way and stays open.
    challenges.want(0, other, claimsOf(A, 7));
    expect(askAll(challenges, 0)).toHaveLength(1);
    for (let time = 0; time < 1_000; time++) {
      expect(challenges.want(0, FILE, claims)).toBe(3);
      challenges.claimed(0, FILE, NO_CLAIMS);
    }
    challenges.want(0, FILE, claims);
    expect(askAll(challenges, 0)).toEqual([]);
    challenges.tick(CHALLENGE_DEADLINE_MS);
    expect(askAll(challenges, CHALLENGE_DEADLINE_MS).map(({ fragments }) => fragments)).toEqual([[0, 1, 2]]);
    challenges.tick(2 * CHALLENGE_DEADLINE_MS);
    expect(askAll(challenges, 2 * CHALLENGE_DEADLINE_MS)).toEqual([]);
  });

  it('is sent to a device in challenges of a bounded size, one after the other', () => {
    const challenges = challengesOf(8);
    const fragments = Array.from({ length: 20 }, (_, fragment) => fragment);
    challenges.want(0, FILE, claimsOf(A, ...fragments));
    const asked: number[] = [];
    for (let turn = 0; turn < 3; turn++) {
      const [challenge] = askAll(challenges, 0);
      if (challenge === undefined) throw new Error('expected another challenge');
      expect(challenge.fragments.length * 8).toBeLessThanOrEqual(MAX_CHALLENGE_BLOCKS);
      expect(askAll(challenges, 0)).toEqual([]);
      asked.push(...challenge.fragments);
      challenges.proof(
        0,
        A,
        challenge.id,
        challenge.fragments.map(() => RIGHT),
      );
    }
    expect(asked).toEqual(fragments);
  });
});

describe('proofs', () => {
  it('are asked of all claimants in one round, including those that proved before, which count meanwhile', () => {
    const challenges = challengesOf();
    const prove = (): number[] =>
      askAll(challenges, 0).flatMap(({ to, id, fragments }) => {
        challenges.proof(
          0,
          to,
          id,
          fragments.map(() => RIGHT),
        );
        return fragments;
      });
    challenges.want(0, FILE, claimsOf(A, 0));
    expect(prove()).toEqual([0]);
    const both = new Map([...claimsOf(A, 0), ...claimsOf(B, 1)]);
    expect(challenges.want(0, FILE, both)).toBe(2);
    expect(challenges.provedOf(FILE, both)).toEqual(claimsOf(A, 0));
    expect(prove()).toEqual([0, 1]);
    expect(challenges.provedOf(FILE, both)).toEqual(both);
    expect(challenges.wereProvedTogether(FILE, both)).toBe(true);
    expect(challenges.want(0, FILE, both)).toBe(0);
  });

  it('begin when the salt is drawn, and the round ends with the last of them, whatever the outcomes', () => {
    const challenges = challengesOf();
    const both = new Map([...claimsOf(A, 0), ...claimsOf(B, 1)]);
    challenges.want(0, FILE, both);
    const [round, ...others] = challenges.start();
    expect([round?.kind, others]).toEqual(['round', []]);
    if (round?.kind !== 'round') throw new Error('expected a round to begin');
    expect(round.fragments).toEqual([0, 1]);
    challenges.roundReady(round.round);
    const asked = challenges.start();
    expect(asked.map((effect) => effect.kind === 'challenge' && effect.to)).toEqual([A, B]);
    const [first] = asked;
    if (first?.kind !== 'challenge') throw new Error('expected a challenge');
    challenges.ready(0, A, first.id, [RIGHT]);
    challenges.proof(0, A, first.id, [RIGHT]);
    expect(challenges.start()).toEqual([]);
    challenges.linkDown(0, B);
    expect(challenges.start()).toEqual([{ kind: 'round-over', round: round.round }]);
  });

  it('for another challenge, of another device, or after the deadline change nothing', () => {
    const challenges = challengesOf();
    const claims = claimsOf(A, 0);
    challenges.want(0, FILE, claims);
    const [asked] = askAll(challenges, 0);
    if (asked === undefined) throw new Error('expected a challenge');
    expect(challenges.proof(0, A, asked.id + 1, [RIGHT])).toEqual([]);
    expect(challenges.proof(0, B, asked.id, [RIGHT])).toEqual([]);
    challenges.tick(CHALLENGE_DEADLINE_MS);
    expect(challenges.proof(CHALLENGE_DEADLINE_MS, A, asked.id, [RIGHT])).toEqual([]);
    expect(challenges.provedOf(FILE, claims).size).toBe(0);
  });
});
