// Puts claims to the proof. Before this device gives up a copy of a fragment because others claim to hold it,
// each of them must prove it: a hash over a fresh salt and over parts of the fragment that the salt picks
// (proof-ranges.ts). This device compares it with the hash of its own copy.
//
// All claims of a file are put to the proof in one round, with one salt, drawn before the first challenge.
// The parts that it picks of all their fragments are served to no device until the last claim has ended. So
// the order of challenges does not matter: a device that proves its claims, under any number of names, had
// all of it when the round began.
//
// Invariants: a fragment counts as proved for a device only after that device's own proof, and only while the
// device claims it. At most one challenge is open with each device. Each challenge ends once: by its proof,
// its deadline or its link. A claim that failed is not tried again before its time, whatever the device does,
// and that time doubles with each failure: an open challenge keeps others from the fragments in question, so
// no device may open them at will.

import { equalBytes } from '../model/bytes.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import {
  CHALLENGE_DEADLINE_MS,
  CHALLENGE_RETRY_MS,
  MAX_CHALLENGE_BLOCKS,
  MAX_DEVICE_COUNT,
} from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Holders } from '../placement/health.ts';
import { MAX_PLACES_PER_MESSAGE, type Place } from '../wire/places.ts';
import { ChallengeRounds, type RoundEffect } from './challenge-rounds.ts';

/** A device that keeps failing is asked once in some two hours in the end. */
const MAX_DOUBLINGS = 8;

export type ChallengeEffect =
  | RoundEffect
  /** Compute the expected proof of `to` from this device's own copies, and report with 'challenge-ready'. */
  | {
      readonly kind: 'challenge';
      readonly id: number;
      readonly to: DeviceId;
      readonly places: readonly RoundPlace[];
    };

/** A claim to put to the proof, and its round. */
export interface RoundPlace extends Place {
  readonly round: number;
}

export interface ChallengesView {
  /** Reachable, and able to answer challenges. */
  canProve(device: DeviceId): boolean;
  /** How many blocks a proof of one of the file's fragments covers. */
  proofBlocksOf(file: FileId): number;
}

/** `round`: shared by all claims of a file that are put to the proof together. */
type Claim =
  /** `wasProved`: in an earlier round; it counts as proved until disproved. */
  | { readonly kind: 'waiting' | 'asked'; readonly round: number; readonly wasProved: boolean }
  | { readonly kind: 'proved'; readonly round: number }
  /** This device's own copy is gone: there is nothing to compare with. */
  | { readonly kind: 'unknowable' }
  /** It sent a wrong proof, or none. Asked again after `untilMs` at the earliest. */
  | { readonly kind: 'failed'; readonly untilMs: number };

interface Open {
  readonly id: number;
  readonly places: readonly RoundPlace[];
  /** Infinity until the challenge was sent. */
  deadlineMs: number;
  /** By place; undefined where this device's own copy is not sound. */
  expected: readonly (Uint8Array | undefined)[];
}

/** The outcome of a challenge for one place. */
export interface Verdict {
  readonly device: DeviceId;
  readonly place: Place;
  /**
   * 'false': it sent a wrong proof. 'silent': it sent none, or not in time. 'gone': it could not be asked.
   * 'unknowable': this device's own copy is gone.
   */
  readonly outcome: 'proved' | 'false' | 'silent' | 'gone' | 'unknowable';
}

export class Challenges {
  readonly #view: ChallengesView;
  readonly #claims = new Map<FileId, Map<DeviceId, Map<number, Claim>>>();
  /** Places to ask each device for, in order: those of waiting claims. */
  readonly #waiting = new Map<DeviceId, Map<string, RoundPlace>>();
  readonly #rounds = new ChallengeRounds();
  /** Challenges in a row that a device failed. */
  readonly #failures = new Map<DeviceId, number>();
  readonly #open = new Map<DeviceId, Open>();
  #nextId = 1;

  constructor(view: ChallengesView) {
    this.#view = view;
  }

  /** Whether the device can be challenged now. */
  canProve(device: DeviceId): boolean {
    return this.#view.canProve(device);
  }

  /**
   * Wants a proof of each of these claims that has none, unless one failed a short while ago. If there is
   * such a claim, also of all others, so that they are proved together. Waits for the current round to end.
   * Returns how many proofs are pending.
   */
  want(nowMs: MonotonicMs, file: FileId, claims: Holders): number {
    const known = this.#claims.get(file);
    if (this.pendingCount(file) > 0) return 0;
    const isNew = (claim: Claim | undefined): boolean =>
      claim === undefined || (claim.kind === 'failed' && claim.untilMs <= nowMs);
    const hasNew = [...claims].some(
      ([device, fragments]) =>
        this.#view.canProve(device) &&
        [...fragments].some((fragment) => isNew(known?.get(device)?.get(fragment))),
    );
    if (!hasNew) return 0;
    return this.#ask(file, claims, (claim) => isNew(claim) || claim?.kind === 'proved');
  }

  /**
   * Whether all of these claims that can be put to the proof now were proved in one round. If not, they are
   * asked once more.
   */
  wereProvedTogether(file: FileId, claims: Holders): boolean {
    const rounds = new Set<number>();
    for (const [device, fragments] of claims) {
      if (!this.#view.canProve(device)) continue;
      for (const fragment of fragments) {
        const claim = this.#claims.get(file)?.get(device)?.get(fragment);
        if (claim?.kind === 'proved') rounds.add(claim.round);
      }
    }
    if (rounds.size <= 1) return true;
    this.#ask(file, claims, (claim) => claim?.kind === 'proved');
    return false;
  }

  /** Those of these claims that were proved. */
  provedOf(file: FileId, claims: Holders): Map<DeviceId, ReadonlySet<number>> {
    return this.#only(file, claims, (claim) => claim !== undefined && countsAsProved(claim));
  }

  /** Those of these claims that may be true: all but the failed ones. */
  believedOf(file: FileId, claims: Holders): Map<DeviceId, ReadonlySet<number>> {
    return this.#only(file, claims, (claim) => claim?.kind !== 'failed');
  }

  /** How many proofs of the file are pending. */
  pendingCount(file: FileId): number {
    let count = 0;
    for (const ofDevice of this.#claims.get(file)?.values() ?? [])
      for (const { kind } of ofDevice.values()) if (kind === 'waiting' || kind === 'asked') count += 1;
    return count;
  }

  /** A claim that was withdrawn no longer counts as proved; withdrawn during its challenge, it has failed. */
  claimed(nowMs: MonotonicMs, file: FileId, claims: Holders): void {
    const ofFile = this.#claims.get(file);
    if (ofFile === undefined) return;
    for (const [device, ofDevice] of ofFile) {
      for (const [fragment, claim] of ofDevice) {
        if (claims.get(device)?.has(fragment) === true || this.#isFailing(nowMs, claim)) continue;
        this.#waiting.get(device)?.delete(placeKey({ file, fragment }));
        if (claim.kind === 'waiting') this.#rounds.ended(claim.round);
        if (claim.kind === 'asked')
          ofDevice.set(fragment, { kind: 'failed', untilMs: nowMs + CHALLENGE_RETRY_MS });
        else ofDevice.delete(fragment);
      }
      if (ofDevice.size === 0) ofFile.delete(device);
    }
  }

  #isFailing(nowMs: MonotonicMs, claim: Claim): boolean {
    return claim.kind === 'failed' && claim.untilMs > nowMs;
  }

  /** This device has a sound copy of the fragment again: claims of it can be judged. */
  copyIsBack(file: FileId, fragment: number): void {
    for (const ofDevice of this.#claims.get(file)?.values() ?? [])
      if (ofDevice.get(fragment)?.kind === 'unknowable') ofDevice.delete(fragment);
  }

  /** Nothing depends on the file's claims any longer. */
  forget(file: FileId): void {
    for (const [device, ofDevice] of this.#claims.get(file) ?? []) {
      for (const [fragment, claim] of ofDevice) {
        this.#waiting.get(device)?.delete(placeKey({ file, fragment }));
        if (claim.kind === 'waiting') this.#rounds.ended(claim.round);
      }
    }
    this.#claims.delete(file);
  }

  /** The round's salt is drawn: its claims may be asked. */
  roundReady(round: number): void {
    this.#rounds.ready(round);
  }

  /** `expected`: the right answer of `to`. False if the challenge has ended; otherwise it goes out now. */
  ready(
    nowMs: MonotonicMs,
    to: DeviceId,
    id: number,
    expected: readonly (Uint8Array | undefined)[],
  ): boolean {
    const open = this.#open.get(to);
    if (open?.id !== id) return false;
    open.expected = expected;
    open.deadlineMs = nowMs + CHALLENGE_DEADLINE_MS;
    return true;
  }

  /** The fragments in question could not be read here: the challenge is made later. */
  callOff(nowMs: MonotonicMs, to: DeviceId, id: number): Verdict[] {
    const open = this.#open.get(to);
    if (open?.id !== id) return [];
    this.#open.delete(to);
    return open.places.map((place) => this.#settle(nowMs, to, place, 'gone'));
  }

  /** An answer. Ignored if its challenge is not open. */
  proof(
    nowMs: MonotonicMs,
    from: DeviceId,
    id: number,
    digests: readonly (Uint8Array | undefined)[],
  ): Verdict[] {
    const open = this.#open.get(from);
    if (open?.id !== id || open.deadlineMs === Infinity) return [];
    this.#open.delete(from);
    // A page that stood still finds the proof before its own clock.
    const isLate = nowMs > open.deadlineMs;
    const outcomes = open.places.map((_, at) =>
      isLate ? 'silent' : outcomeOf(open.expected[at], digests[at]),
    );
    this.#tally(from, outcomes);
    return open.places.map((place, at) => this.#settle(nowMs, from, place, outcomes[at] ?? 'silent'));
  }

  /**
   * The device cannot be asked now. Claims of its open challenge are asked again after a while; the rest once
   * it is back.
   */
  linkDown(nowMs: MonotonicMs, device: DeviceId): Verdict[] {
    const open = this.#open.get(device);
    this.#open.delete(device);
    const waiting = [...(this.#waiting.get(device)?.values() ?? [])];
    this.#waiting.delete(device);
    for (const { file, fragment, round } of waiting) {
      this.#claims.get(file)?.get(device)?.delete(fragment);
      this.#rounds.ended(round);
    }
    const asked = (open?.places ?? []).map((place) => this.#settle(nowMs, device, place, 'gone'));
    return [...asked, ...waiting.map((place) => ({ device, place, outcome: 'gone' }) as const)];
  }

  /** Ends challenges that took too long. */
  tick(nowMs: MonotonicMs): Verdict[] {
    const late = [...this.#open].filter(([, { deadlineMs }]) => deadlineMs <= nowMs);
    for (const [device] of late) {
      this.#open.delete(device);
      this.#tally(device, ['silent']);
    }
    return late.flatMap(([device, { places }]) =>
      places.map((place) => this.#settle(nowMs, device, place, 'silent')),
    );
  }

  /** Begins and ends rounds, and challenges each device that has no challenge open. */
  start(): ChallengeEffect[] {
    const effects: ChallengeEffect[] = this.#rounds.takeEffects();
    for (const [device, queue] of this.#waiting) {
      if (this.#open.has(device)) continue;
      const places = this.#take(device, queue);
      if (queue.size === 0) this.#waiting.delete(device);
      if (places.length === 0) continue;
      const id = this.#nextId++ >>> 0;
      this.#open.set(device, { id, places, deadlineMs: Infinity, expected: [] });
      effects.push({ kind: 'challenge', id, to: device, places });
    }
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    let next = Infinity;
    for (const { deadlineMs } of this.#open.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  /** The next places in line that fit one challenge. */
  #take(device: DeviceId, queue: Map<string, RoundPlace>): RoundPlace[] {
    const places: RoundPlace[] = [];
    let blockCount = 0;
    for (const [key, place] of queue) {
      if (!this.#rounds.isReady(place.round)) continue;
      blockCount += this.#view.proofBlocksOf(place.file);
      const isFull = places.length === MAX_PLACES_PER_MESSAGE || blockCount > MAX_CHALLENGE_BLOCKS;
      if (isFull && places.length > 0) break;
      queue.delete(key);
      const ofDevice = this.#claims.get(place.file)?.get(device);
      const claim = ofDevice?.get(place.fragment);
      if (claim?.kind !== 'waiting' || claim.round !== place.round) continue;
      ofDevice?.set(place.fragment, { ...claim, kind: 'asked' });
      places.push(place);
    }
    return places;
  }

  /** One challenge with nothing but proofs clears all earlier failures. */
  #tally(device: DeviceId, outcomes: readonly Verdict['outcome'][]): void {
    const hasFailed = outcomes.some((outcome) => outcome === 'false' || outcome === 'silent');
    if (!hasFailed) this.#failures.delete(device);
    else if (this.#failures.has(device) || this.#failures.size < MAX_DEVICE_COUNT)
      this.#failures.set(device, (this.#failures.get(device) ?? 0) + 1);
  }

  #settle(nowMs: MonotonicMs, device: DeviceId, place: RoundPlace, outcome: Verdict['outcome']): Verdict {
    this.#rounds.ended(place.round);
    const ofDevice = this.#claims.get(place.file)?.get(device);
    const claim = ofDevice?.get(place.fragment);
    const failureCount = Math.min(this.#failures.get(device) ?? 1, MAX_DOUBLINGS);
    const retryAtMs = nowMs + CHALLENGE_RETRY_MS * 2 ** (failureCount - 1);
    if (ofDevice !== undefined && claim?.kind === 'asked' && claim.round === place.round)
      ofDevice.set(place.fragment, claimAfter(outcome, claim.round, retryAtMs));
    return { device, place, outcome };
  }

  /** Puts those of `claims` in line for which `isDue` returns true, all in one round. */
  #ask(file: FileId, claims: Holders, isDue: (claim: Claim | undefined) => boolean): number {
    const ofFile = this.#claims.get(file) ?? new Map<DeviceId, Map<number, Claim>>();
    let askedCount = 0;
    const round = this.#rounds.nextRound;
    const asked = new Set<number>();
    for (const [device, fragments] of claims) {
      if (!this.#view.canProve(device)) continue;
      const ofDevice = ofFile.get(device) ?? new Map<number, Claim>();
      const queue = this.#waiting.get(device) ?? new Map<string, RoundPlace>();
      for (const fragment of fragments) {
        const claim = ofDevice.get(fragment);
        if (!isDue(claim)) continue;
        ofDevice.set(fragment, { kind: 'waiting', round, wasProved: claim?.kind === 'proved' });
        queue.set(placeKey({ file, fragment }), { file, fragment, round });
        asked.add(fragment);
        askedCount += 1;
      }
      if (ofDevice.size > 0) ofFile.set(device, ofDevice);
      if (queue.size > 0) this.#waiting.set(device, queue);
    }
    if (ofFile.size > 0) this.#claims.set(file, ofFile);
    if (askedCount === 0) return 0;
    this.#rounds.begin(file, [...asked], askedCount);
    return askedCount;
  }

  #only(
    file: FileId,
    claims: Holders,
    counts: (claim: Claim | undefined) => boolean,
  ): Map<DeviceId, ReadonlySet<number>> {
    const ofFile = this.#claims.get(file);
    const some = new Map<DeviceId, ReadonlySet<number>>();
    for (const [device, fragments] of claims) {
      const ofDevice = ofFile?.get(device);
      const counted = new Set([...fragments].filter((fragment) => counts(ofDevice?.get(fragment))));
      if (counted.size > 0) some.set(device, counted);
    }
    return some;
  }
}

function countsAsProved(claim: Claim): boolean {
  return claim.kind === 'proved' || ((claim.kind === 'waiting' || claim.kind === 'asked') && claim.wasProved);
}

function outcomeOf(expected: Uint8Array | undefined, digest: Uint8Array | undefined): Verdict['outcome'] {
  if (expected === undefined) return 'unknowable';
  if (digest === undefined) return 'silent';
  return equalBytes(expected, digest) ? 'proved' : 'false';
}

function claimAfter(outcome: Verdict['outcome'], round: number, retryAtMs: number): Claim {
  switch (outcome) {
    case 'proved':
      return { kind: 'proved', round };
    case 'unknowable':
      return { kind: 'unknowable' };
    case 'false':
    case 'silent':
    case 'gone':
      return { kind: 'failed', untilMs: retryAtMs };
  }
}

function placeKey({ file, fragment }: Place): string {
  return `${file}/${fragment}`;
}
