// The newcomer's part at a door, as a machine: asks one member after the other to be let in, and believes
// none of them alone. A member that gives nothing, or gives what does not prove the pool of the invite, is
// passed over; the next one is asked. One at a time, so that an invite for one device is used once, and the
// issuer first, the only one that the invite names. Other newcomers have nothing to give, and are cut off.

import type { Application } from '../catalogue/grants/ticket.ts';
import type { DeviceId } from '../model/ids.ts';
import { MAX_ACT_COUNT } from '../model/limits.ts';
import type { MonotonicMs } from '../model/time.ts';
import type { AdmissionRefusal, DoorMessage } from './door-message.ts';

/** Why a join ends: the members' reasons that time does not change. */
export type FinalRefusal = Exclude<AdmissionRefusal, 'unknown' | 'busy'>;

export type ApplicantInput =
  | { readonly kind: 'link-up'; readonly device: DeviceId }
  | { readonly kind: 'link-down'; readonly device: DeviceId }
  | { readonly kind: 'message'; readonly device: DeviceId; readonly message: DoorMessage }
  /** An application to `device` was signed. */
  | { readonly kind: 'signed'; readonly device: DeviceId; readonly application: Application }
  /** What `device` gave was checked, and does not prove the pool. */
  | { readonly kind: 'unproved'; readonly device: DeviceId }
  | { readonly kind: 'tick' };

export type ApplicantEffect =
  /** Sign an application to this device. */
  | { readonly kind: 'sign'; readonly device: DeviceId }
  | { readonly kind: 'send'; readonly device: DeviceId; readonly message: DoorMessage }
  /** Open the keys, and check that the acts make the giver what it must be, and this device a member. */
  | {
      readonly kind: 'check';
      readonly device: DeviceId;
      readonly acts: readonly Uint8Array[];
      readonly sealed: Uint8Array;
    }
  | { readonly kind: 'close-link'; readonly device: DeviceId; readonly reason: string }
  /** No member lets this device in, for this reason. */
  | { readonly kind: 'refused'; readonly reason: FinalRefusal };

/** A member answers within this, ms: it writes one act to its disk. */
export const ANSWER_WITHIN_MS = 10_000;
/** A member that does not know the invite yet, or is busy, is asked again after this, ms. */
export const ASK_AGAIN_MS = 5_000;
/** Messages that acts may come in: as many as a pool has, one in each at worst. */
const MAX_ACT_MESSAGES = MAX_ACT_COUNT;

type Member =
  | { readonly kind: 'fresh' }
  /** It is asked again at this time. */
  | { readonly kind: 'later'; readonly atMs: MonotonicMs }
  | { readonly kind: 'refused'; readonly reason: FinalRefusal };

interface Asking {
  readonly device: DeviceId;
  readonly acts: Uint8Array[];
  messageCount: number;
  deadlineMs: MonotonicMs;
  isChecking: boolean;
}

export class Applicant {
  readonly #issuer: DeviceId;
  /** Linked devices that are not being asked. */
  readonly #members = new Map<DeviceId, Member>();
  #asking: Asking | undefined;
  #isOver = false;

  constructor(issuer: DeviceId) {
    this.#issuer = issuer;
  }

  /** Whether a member is being asked now. */
  get isAsking(): boolean {
    return this.#asking !== undefined;
  }

  handle(nowMs: MonotonicMs, input: ApplicantInput): ApplicantEffect[] {
    if (this.#isOver) return [];
    const effects = this.#take(nowMs, input);
    effects.push(...this.#advance(nowMs));
    return effects;
  }

  nextDeadlineMs(): MonotonicMs {
    if (this.#isOver) return Infinity;
    const laterMs = [...this.#members.values()].map((member) =>
      member.kind === 'later' ? member.atMs : Infinity,
    );
    return Math.min(this.#asking?.deadlineMs ?? Infinity, ...laterMs);
  }

  #take(nowMs: MonotonicMs, input: ApplicantInput): ApplicantEffect[] {
    switch (input.kind) {
      case 'link-up':
        if (this.#asking?.device !== input.device) this.#members.set(input.device, { kind: 'fresh' });
        return [];
      case 'link-down':
        this.#members.delete(input.device);
        if (this.#asking?.device === input.device) this.#asking = undefined;
        return [];
      case 'signed':
        if (this.#asking?.device !== input.device) return [];
        this.#asking.deadlineMs = nowMs + ANSWER_WITHIN_MS;
        return [
          {
            kind: 'send',
            device: input.device,
            message: { kind: 'admission-wanted', ...input.application },
          },
        ];
      case 'message':
        return this.#takeMessage(nowMs, input.device, input.message);
      case 'unproved':
        return this.#passOver(input.device, 'it does not prove the pool of the invite');
      case 'tick':
        return [];
    }
  }

  #takeMessage(nowMs: MonotonicMs, device: DeviceId, message: DoorMessage): ApplicantEffect[] {
    if (message.kind === 'admission-wanted') return this.#passOver(device, 'it is a newcomer itself');
    const asking = this.#asking;
    if (asking?.device !== device || asking.isChecking) return this.#passOver(device, 'it was not asked');
    asking.deadlineMs = nowMs + ANSWER_WITHIN_MS;
    switch (message.kind) {
      case 'admission-refused':
        this.#asking = undefined;
        this.#members.set(device, afterRefusal(nowMs, message.reason));
        return [];
      case 'acts':
        asking.messageCount += 1;
        if (
          asking.messageCount > MAX_ACT_MESSAGES ||
          asking.acts.length > MAX_ACT_COUNT - message.acts.length
        ) {
          return this.#passOver(device, 'it gives more acts than a pool has');
        }
        asking.acts.push(...message.acts);
        return [];
      case 'keys':
        asking.isChecking = true;
        asking.deadlineMs = Infinity;
        return [{ kind: 'check', device, acts: asking.acts, sealed: message.sealed }];
    }
  }

  /** Asks the next member, if none is being asked; ends when all have refused for good. */
  #advance(nowMs: MonotonicMs): ApplicantEffect[] {
    const effects: ApplicantEffect[] = [];
    if (this.#asking !== undefined && this.#asking.deadlineMs <= nowMs) {
      effects.push(...this.#passOver(this.#asking.device, 'it does not answer'));
    }
    if (this.#asking !== undefined) return effects;
    const device = this.#next(nowMs);
    if (device !== undefined) {
      this.#members.delete(device);
      this.#asking = {
        device,
        acts: [],
        messageCount: 0,
        deadlineMs: nowMs + ANSWER_WITHIN_MS,
        isChecking: false,
      };
      return [...effects, { kind: 'sign', device }];
    }
    const reason = this.#commonRefusal();
    if (reason === undefined) return effects;
    this.#isOver = true;
    return [...effects, { kind: 'refused', reason }];
  }

  #next(nowMs: MonotonicMs): DeviceId | undefined {
    const isDue = (member: Member | undefined): boolean =>
      member?.kind === 'fresh' || (member?.kind === 'later' && member.atMs <= nowMs);
    if (isDue(this.#members.get(this.#issuer))) return this.#issuer;
    return [...this.#members].find(([, member]) => isDue(member))?.[0];
  }

  /** Why every linked member refuses for good; undefined while one may still say yes. */
  #commonRefusal(): FinalRefusal | undefined {
    let reason: FinalRefusal | undefined;
    for (const member of this.#members.values()) {
      if (member.kind !== 'refused') return undefined;
      reason ??= member.reason;
    }
    return reason;
  }

  #passOver(device: DeviceId, reason: string): ApplicantEffect[] {
    this.#members.delete(device);
    if (this.#asking?.device === device) this.#asking = undefined;
    return [{ kind: 'close-link', device, reason }];
  }
}

function afterRefusal(nowMs: MonotonicMs, reason: AdmissionRefusal): Member {
  return reason === 'unknown' || reason === 'busy'
    ? { kind: 'later', atMs: nowMs + ASK_AGAIN_MS }
    : { kind: 'refused', reason };
}
