// What holders claim, and what follows from it: second copies that are given up once another is proved,
// proofs that this device makes, and misdeeds of devices that claim what they do not have.

import type { DeviceId } from '../model/ids.ts';
import { MAX_CHALLENGE_BLOCKS } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { Message, ProofAsk } from '../wire/messages.ts';
import type { Place } from '../wire/places.ts';
import type { Verdict } from './challenges.ts';
import { drop, misdeed, send } from './peer-effects.ts';
import type { PeerEffect, PeerInput } from './peer-events.ts';
import type { PeerState } from './peer-state.ts';
import { proofBlocksOf } from './proof-ranges.ts';
import { Unanswered } from './unanswered.ts';

type JudgedInput = PeerInput & {
  readonly kind: 'not-given' | 'audited' | 'round-ready' | 'challenge-ready' | 'proof-made';
};

type Audited = PeerInput & { readonly kind: 'audited' };

export class Judging {
  readonly #state: PeerState;
  readonly #unanswered = new Unanswered();

  constructor(state: PeerState) {
    this.#state = state;
  }

  /**
   * Gives up a second copy: only if another reachable device proves that it holds the fragment, and only at
   * the request of the device that stored the file and still places it. Any other device could claim all
   * fragments and ask all holders for theirs. What the storer itself has does not count: it will let go.
   */
  release(nowMs: MonotonicMs, from: DeviceId, place: Place): void {
    const { catalogue, lettingGo } = this.#state;
    const { file, fragment } = place;
    if (catalogue.files().get(file)?.by !== from || !this.#isToKeep(place)) return;
    const others = [...this.#state.holdersElsewhere(file)].filter(
      ([device, fragments]) => device !== from && fragments.has(fragment) && this.#state.isReachable(device),
    );
    const keepers = new Map(others.map(([device]) => [device, new Set([fragment])]));
    lettingGo.begin(nowMs, file, keepers, true);
  }

  /** What the runtime found out, or carried out. */
  told(nowMs: MonotonicMs, input: JudgedInput): PeerEffect[] {
    switch (input.kind) {
      case 'not-given':
        this.#state.doubts.notGiven(nowMs, input.device, input, input.isWrong ? 'wrong' : 'absent');
        return [];
      case 'audited':
        this.#audited(nowMs, input);
        return [];
      case 'round-ready':
        this.#state.challenges.roundReady(input.round);
        return [];
      case 'challenge-ready':
        return this.#challengeReady(nowMs, input);
      case 'proof-made':
        if (this.#state.links.get(input.to)?.proving.delete(input.id) !== true) return [];
        return [send(input.to, { kind: 'proof', id: input.id, digests: input.digests })];
    }
  }

  #audited(nowMs: MonotonicMs, { outcome, device, file, fragment }: Audited): void {
    const { doubts } = this.#state;
    if (outcome === 'own') {
      this.#state.challenges.want(nowMs, file, new Map([[device, new Set([fragment])]]));
      return;
    }
    if (outcome === 'none') {
      for (const place of this.#unanswered.missed(nowMs, device, { file, fragment }))
        doubts.notGiven(nowMs, device, place, 'absent');
      return;
    }
    this.#unanswered.given(device, { file, fragment });
    if (outcome === 'given') doubts.given(nowMs, device, { file, fragment });
    else doubts.notGiven(nowMs, device, { file, fragment }, outcome);
  }

  /** A challenge goes out, unless it has ended, or this device's own copies could not be read. */
  #challengeReady(
    nowMs: MonotonicMs,
    { to, id, asks, expected }: PeerInput & { readonly kind: 'challenge-ready' },
  ): PeerEffect[] {
    const { challenges } = this.#state;
    if (expected === undefined) return this.judge(nowMs, challenges.callOff(nowMs, to, id));
    if (!challenges.ready(nowMs, to, id, expected)) return [];
    return [send(to, { kind: 'challenge', id, asks })];
  }

  /** A device answers a challenge. */
  proof(
    nowMs: MonotonicMs,
    from: DeviceId,
    { id, digests }: Message & { readonly kind: 'proof' },
  ): PeerEffect[] {
    return this.judge(nowMs, this.#state.challenges.proof(nowMs, from, id, digests));
  }

  /** What is held here of `asks`, up to what one challenge may make this device read. */
  provable(nowMs: MonotonicMs, from: DeviceId, asks: readonly ProofAsk[]): (ProofAsk | undefined)[] {
    let blockCount = 0;
    const named = new Set<string>();
    return asks.map((ask) => {
      const key = `${ask.file}/${ask.fragment}`;
      if (named.has(key)) return undefined;
      named.add(key);
      const manifest = this.#state.catalogue.files().get(ask.file);
      if (manifest === undefined || !this.#state.own.of(ask.file).has(ask.fragment)) return undefined;
      blockCount += proofBlocksOf(manifest);
      if (blockCount > MAX_CHALLENGE_BLOCKS) return undefined;
      return this.#state.lettingGo.challenged(nowMs, from, ask) ? ask : undefined;
    });
  }

  /** A device that proved its claim counts as a holder; one that sent a wrong proof is reported. */
  judge(nowMs: MonotonicMs, verdicts: readonly Verdict[]): PeerEffect[] {
    const { challenges, doubts, outbox, handover, lettingGo, moving } = this.#state;
    const falseCounts = new Map<DeviceId, number>();
    const drops: PeerEffect[] = [];
    for (const verdict of verdicts) {
      const { device, place, outcome } = verdict;
      const isToDrop = lettingGo.has(place.file, place.fragment);
      // Reported only if it keeps claiming what it does not prove. Who drops copies itself may be silent.
      if (outcome === 'silent' && !isToDrop) doubts.notGiven(nowMs, device, place, 'silent');
      if (outcome === 'proved') doubts.proved(device, place);
      if (outcome === 'false') {
        falseCounts.set(device, (falseCounts.get(device) ?? 0) + 1);
        doubts.notGiven(nowMs, device, place, 'wrong', true);
      }
      outbox.judged(nowMs, verdict);
      handover.judged(nowMs, verdict);
      if (isToDrop) moving.judged(nowMs, verdict);
      if (lettingGo.judged(verdict) && this.#isToKeep(place)) drops.push(this.#drop(place));
      this.#state.touch(place.file);
    }
    for (const { place } of verdicts)
      if (!outbox.has(place.file) && !handover.has(place.file) && !lettingGo.has(place.file))
        challenges.forget(place.file);
    const misdeeds = [...falseCounts].map(([device, count]) => misdeed(device, 'false-claims', count));
    return [...drops, ...misdeeds];
  }

  /** Reports the devices that keep claiming what they did not give. */
  withheld(nowMs: MonotonicMs): PeerEffect[] {
    return [...this.#state.doubts.standing(nowMs)].map(([device, count]) =>
      misdeed(device, 'withheld', count),
    );
  }

  nextDeadlineMs(): MonotonicMs {
    return this.#state.doubts.nextDeadlineMs();
  }

  /** From this moment on it counts as dropped: it must not be proved to anybody. */
  #drop({ file, fragment }: Place): PeerEffect {
    this.#state.own.delete(file, fragment);
    return drop(file, [fragment]);
  }

  /** Whether this device is the fragment's home, and does not hold it only for placing. */
  #isToKeep({ file, fragment }: Place): boolean {
    return this.#state.own.of(file).has(fragment) && !this.#state.outbox.has(file);
  }
}
