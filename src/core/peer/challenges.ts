// Claims, put to the proof. Before this device gives up a copy of a fragment because others say that they hold it, each of them
// has to prove it: a hash over a fresh salt and over parts of the fragment that the salt picks (proof-ranges.ts), which this
// device compares with that of its own copy.
//
// Invariants: a fragment counts as proved for a device only after a proof of that device's own, and only until the device no
// longer claims it; one challenge at most is open with each device; each challenge ends once: by its proof, its deadline or its
// link.

import { equalBytes } from '../model/bytes.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import { CHALLENGE_DEADLINE_MS, CHALLENGE_RETRY_MS, MAX_CHALLENGE_BLOCKS } from '../model/limits.ts';
import type { Holders } from '../placement/health.ts';
import { MAX_PLACES_PER_MESSAGE, type Place } from '../wire/messages.ts';

export type ChallengeEffect =
  /** Draw a salt, compute what `to` has to answer from this device's own copies, and tell with 'challenge-ready'. */
  | {
      readonly kind: 'challenge';
      readonly id: number;
      readonly to: DeviceId;
      readonly places: readonly Place[];
    }
  /** Whatever was kept from others for this challenge may be served again. */
  | { readonly kind: 'challenge-over'; readonly id: number };

export interface ChallengesView {
  /** Reachable, and it can answer challenges. */
  canProve(device: DeviceId): boolean;
  /** How many blocks a proof of one of the file's fragments looks at. */
  proofBlocksOf(file: FileId): number;
}

/** `round`: all claims of a file that are put to the proof together have the same. */
type Claim =
  /** `wasProved`: in an earlier round, and it counts as proved until it is known better. */
  | { readonly kind: 'waiting' | 'asked'; readonly round: number; readonly wasProved: boolean }
  | { readonly kind: 'proved'; readonly round: number }
  /** This device's own copy is gone: nobody can tell. */
  | { readonly kind: 'unknowable' }
  /** What it said is not what the fragment's bytes give, or it said nothing. Asked again after `untilMs`. */
  | { readonly kind: 'failed'; readonly untilMs: number };

interface Open {
  readonly id: number;
  readonly places: readonly Place[];
  /** Infinity until the challenge was sent. */
  deadlineMs: number;
  /** By place; undefined where this device's own copy is not sound. */
  expected: readonly (Uint8Array | undefined)[];
}

/** Challenges that ended, and what they say. */
export interface Judgement {
  readonly effects: readonly ChallengeEffect[];
  readonly verdicts: readonly Verdict[];
}

/** What a challenge that ended says about one place. */
export interface Verdict {
  readonly device: DeviceId;
  readonly place: Place;
  /** 'false': it sent a wrong proof. 'silent': none, in time or at all. 'unknowable': this device's own copy is gone. */
  readonly outcome: 'proved' | 'false' | 'silent' | 'unknowable';
}

export class Challenges {
  readonly #view: ChallengesView;
  readonly #claims = new Map<FileId, Map<DeviceId, Map<number, Claim>>>();
  /** Places to ask of a device, in order. */
  readonly #waiting = new Map<DeviceId, Place[]>();
  readonly #open = new Map<DeviceId, Open>();
  #nextId = 1;
  #lastRound = 0;

  constructor(view: ChallengesView) {
    this.#view = view;
  }

  /** Whether the device can be challenged now. */
  canProve(device: DeviceId): boolean {
    return this.#view.canProve(device);
  }

  /** Wants a proof of each of these claims that has none, unless one failed a short while ago. */
  want(nowMs: number, file: FileId, claims: Holders): void {
    this.#ask(
      file,
      claims,
      (claim) => claim === undefined || (claim.kind === 'failed' && claim.untilMs <= nowMs),
    );
  }

  /**
   * Whether those of these claims that can be put to the proof now were proved in one round: whoever made them had all of it at the
   * same time. Where they were not, all are asked once more, together.
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

  /** Of these claims the ones that were proved. */
  provedOf(file: FileId, claims: Holders): Map<DeviceId, ReadonlySet<number>> {
    return this.#only(file, claims, (claim) => claim !== undefined && countsAsProved(claim));
  }

  /** Of these claims the ones that may be true: none that failed. */
  believedOf(file: FileId, claims: Holders): Map<DeviceId, ReadonlySet<number>> {
    return this.#only(file, claims, (claim) => claim?.kind !== 'failed');
  }

  /** Proofs of the file that are waited for. */
  pendingCount(file: FileId): number {
    let count = 0;
    for (const ofDevice of this.#claims.get(file)?.values() ?? [])
      for (const { kind } of ofDevice.values()) if (kind === 'waiting' || kind === 'asked') count += 1;
    return count;
  }

  /** What is no longer claimed is no longer proved. */
  claimed(file: FileId, claims: Holders): void {
    const ofFile = this.#claims.get(file);
    if (ofFile === undefined) return;
    for (const [device, ofDevice] of ofFile) {
      for (const fragment of ofDevice.keys())
        if (claims.get(device)?.has(fragment) !== true) ofDevice.delete(fragment);
      if (ofDevice.size === 0) ofFile.delete(device);
    }
  }

  /** Nothing hangs on the file's claims any more. */
  forget(file: FileId): void {
    this.#claims.delete(file);
  }

  /** `expected`: what `to` has to answer. Returns the places to ask for now; undefined when the challenge ended meanwhile. */
  ready(
    nowMs: number,
    to: DeviceId,
    id: number,
    expected: readonly (Uint8Array | undefined)[],
  ): readonly Place[] | undefined {
    const open = this.#open.get(to);
    if (open?.id !== id) return undefined;
    open.expected = expected;
    open.deadlineMs = nowMs + CHALLENGE_DEADLINE_MS;
    return open.places;
  }

  /** An answer. One to nothing that is open is ignored. */
  proof(nowMs: number, from: DeviceId, id: number, digests: readonly (Uint8Array | undefined)[]): Judgement {
    const open = this.#open.get(from);
    if (open?.id !== id || open.deadlineMs === Infinity) return { effects: [], verdicts: [] };
    this.#open.delete(from);
    const verdicts = open.places.map((place, at) => {
      const [expected, digest] = [open.expected[at], digests[at]];
      if (expected === undefined) return this.#settle(nowMs, from, place, 'unknowable');
      if (digest === undefined) return this.#settle(nowMs, from, place, 'silent');
      return this.#settle(nowMs, from, place, equalBytes(expected, digest) ? 'proved' : 'false');
    });
    return { effects: [{ kind: 'challenge-over', id }], verdicts };
  }

  /** The device cannot be asked now: its claims are neither proved nor failed. */
  linkDown(device: DeviceId): ChallengeEffect[] {
    const open = this.#open.get(device);
    this.#open.delete(device);
    for (const { file, fragment } of [...(open?.places ?? []), ...(this.#waiting.get(device) ?? [])])
      this.#claims.get(file)?.get(device)?.delete(fragment);
    this.#waiting.delete(device);
    return open === undefined ? [] : [{ kind: 'challenge-over', id: open.id }];
  }

  /** Ends challenges that took too long. */
  tick(nowMs: number): Judgement {
    const late = [...this.#open].filter(([, { deadlineMs }]) => deadlineMs <= nowMs);
    for (const [device] of late) this.#open.delete(device);
    return {
      effects: late.map(([, { id }]) => ({ kind: 'challenge-over', id })),
      verdicts: late.flatMap(([device, { places }]) =>
        places.map((place) => this.#settle(nowMs, device, place, 'silent')),
      ),
    };
  }

  /** Challenges whoever has none open. */
  start(): ChallengeEffect[] {
    const effects: ChallengeEffect[] = [];
    for (const [device, queue] of this.#waiting) {
      if (this.#open.has(device)) continue;
      const places = this.#take(device, queue);
      if (queue.length === 0) this.#waiting.delete(device);
      if (places.length === 0) continue;
      const id = this.#nextId++ >>> 0;
      this.#open.set(device, { id, places, deadlineMs: Infinity, expected: [] });
      effects.push({ kind: 'challenge', id, to: device, places });
    }
    return effects;
  }

  nextDeadlineMs(): number {
    let next = Infinity;
    for (const { deadlineMs } of this.#open.values()) next = Math.min(next, deadlineMs);
    return next;
  }

  /** The next places in line that fit one challenge. Those that nobody wants proved any more are left out. */
  #take(device: DeviceId, queue: Place[]): Place[] {
    const places: Place[] = [];
    let blockCount = 0;
    while (queue.length > 0 && places.length < MAX_PLACES_PER_MESSAGE) {
      const [place] = queue;
      if (place === undefined) break;
      const ofDevice = this.#claims.get(place.file)?.get(device);
      const claim = ofDevice?.get(place.fragment);
      const isWanted = claim?.kind === 'waiting';
      blockCount += isWanted ? this.#view.proofBlocksOf(place.file) : 0;
      if (blockCount > MAX_CHALLENGE_BLOCKS && places.length > 0) break;
      queue.shift();
      if (!isWanted) continue;
      if (claim?.kind === 'waiting') ofDevice?.set(place.fragment, { ...claim, kind: 'asked' });
      places.push(place);
    }
    return places;
  }

  #settle(nowMs: number, device: DeviceId, place: Place, outcome: Verdict['outcome']): Verdict {
    const ofDevice = this.#claims.get(place.file)?.get(device);
    const claim = ofDevice?.get(place.fragment);
    if (ofDevice !== undefined && claim?.kind === 'asked')
      ofDevice.set(place.fragment, claimAfter(nowMs, outcome, claim.round));
    return { device, place, outcome };
  }

  /** Puts those of `claims` in line for which `isDue`, all in one round. */
  #ask(file: FileId, claims: Holders, isDue: (claim: Claim | undefined) => boolean): void {
    const ofFile = this.#claims.get(file) ?? new Map<DeviceId, Map<number, Claim>>();
    const round = this.#lastRound + 1;
    for (const [device, fragments] of claims) {
      if (!this.#view.canProve(device)) continue;
      const ofDevice = ofFile.get(device) ?? new Map<number, Claim>();
      const queue = this.#waiting.get(device) ?? [];
      for (const fragment of fragments) {
        const claim = ofDevice.get(fragment);
        if (!isDue(claim)) continue;
        ofDevice.set(fragment, { kind: 'waiting', round, wasProved: claim?.kind === 'proved' });
        queue.push({ file, fragment });
        this.#lastRound = round;
      }
      if (ofDevice.size > 0) ofFile.set(device, ofDevice);
      if (queue.length > 0) this.#waiting.set(device, queue);
    }
    if (ofFile.size > 0) this.#claims.set(file, ofFile);
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

function claimAfter(nowMs: number, outcome: Verdict['outcome'], round: number): Claim {
  switch (outcome) {
    case 'proved':
      return { kind: 'proved', round };
    case 'unknowable':
      return { kind: 'unknowable' };
    case 'false':
    case 'silent':
      return { kind: 'failed', untilMs: nowMs + CHALLENGE_RETRY_MS };
  }
}
