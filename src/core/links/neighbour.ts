// What the link machine knows of one other device. Only the machine changes its fields; nothing here decides.

import type { DeviceId } from '../model/ids.ts';
import type { OpenedLetter } from './envelope.ts';
import type { Way } from './link-events.ts';
import type { LinkId, SessionId } from './link-ids.ts';
import { DEAD_AFTER_MS, PING_AFTER_MS } from './link-timing.ts';
import type { MonotonicMs } from '../model/time.ts';

export type Phase =
  | { readonly kind: 'idle'; retryAtMs: number }
  | {
      readonly kind: 'linking';
      readonly link: LinkId;
      deadlineMs: number;
      candidateCount: number;
      /** We offered it, and no answer has come. */
      isUnanswered: boolean;
    }
  | {
      readonly kind: 'up';
      readonly link: LinkId;
      readonly sinceMs: number;
      pingAtMs: number;
      deadAtMs: number;
      /** It has to show soon that it survived this device's sleep. */
      isWaking: boolean;
    };

/** Another device, while the machine knows it. */
export interface Neighbour {
  readonly device: DeviceId;
  session: SessionId;
  /** How its last letter came: identities cost nothing, ways do. */
  way: Way;
  /** The relay said that `session` left, and nothing has come from it since. */
  isGone: boolean;
  /** A session that seems earlier but spoke while `session` was under way: it is next when that fails. */
  heir: SessionId | undefined;
  /** Number of the newest offer of `session`; -1 before the first. */
  offerSeq: number;
  /** Failed attempts and prods and short-lived links in a row. */
  failureCount: number;
  /** It answered our last offer with a goodbye: it may have had no place, and calls when it has one. */
  isPutOff: boolean;
  /** We closed the link on purpose: until then we neither try nor accept. */
  refuseUntilMs: number;
  phase: Phase;
}

/** With a connection. */
export type Active = Exclude<Phase, { kind: 'idle' }>;
export type ActiveNeighbour = Neighbour & { readonly phase: Active };
export type Up = Extract<Phase, { kind: 'up' }>;

/** A device that just spoke for the first time: tried immediately. */
export function newNeighbour(nowMs: MonotonicMs, { from, fromSession }: OpenedLetter, way: Way): Neighbour {
  return {
    device: from,
    session: fromSession,
    way,
    isGone: false,
    heir: undefined,
    offerSeq: -1,
    failureCount: 0,
    isPutOff: false,
    refuseUntilMs: nowMs,
    phase: { kind: 'idle', retryAtMs: nowMs },
  };
}

export function isActive(neighbour: Neighbour): neighbour is ActiveNeighbour {
  return neighbour.phase.kind !== 'idle';
}

/** Something was sent, or waits to go out: the link must give a sign of life. */
export function expectSign(nowMs: MonotonicMs, phase: Up): void {
  phase.pingAtMs = nowMs + PING_AFTER_MS;
  phase.deadAtMs = nowMs + DEAD_AFTER_MS;
}

/**
 * The link gave a sign of life. Unless something waits to go out, none is expected then: the platform tells
 * when the path is lost (Connection.doubted).
 */
export function heard(nowMs: MonotonicMs, phase: Up, isWaiting: boolean): void {
  phase.isWaking = false;
  if (isWaiting) {
    expectSign(nowMs, phase);
    return;
  }
  phase.pingAtMs = Number.POSITIVE_INFINITY;
  phase.deadAtMs = Number.POSITIVE_INFINITY;
}

/**
 * Whether the first has less of a claim to its place than the second: an attempt before a link, then the
 * later link.
 */
export function isNewer(first: Active, second: Active): boolean {
  return beganMs(first) > beganMs(second);
}

function beganMs(phase: Active): number {
  return phase.kind === 'up' ? phase.sinceMs : Number.POSITIVE_INFINITY;
}
