// Names of sessions and link attempts: 16 bytes, kept as lower-case hex so that they compare and key maps.
//
// A session is one opening of a transport (one life of a page). Its first 6 bytes are the time of opening by
// its device's clock, big-endian. So of two sessions of one device the greater text is the newer, and a
// delayed or replayed message of an earlier session never displaces a later one. The other 10 bytes are
// random: a session cannot be guessed, and a message for one session is useless in another.

import { sha256 } from '@noble/hashes/sha2.js';
import { bytesOfHex, concatBytes, hexOf } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import type { WallMs } from '../model/time.ts';

declare const brand: unique symbol;

/** Compares as text: the later session of one device is the greater. */
export type SessionId = string & { readonly [brand]: 'SessionId' };
/** One attempt to link two devices, and the link that it becomes. */
export type LinkId = string & { readonly [brand]: 'LinkId' };
/** A way for envelopes to one device, besides relay and links (core/pairing). A page uses it once. */
export type WireId = `wire-${number}`;

/** Length of either id, bytes. */
const LINK_ID_BYTES = 16;
/** Random bytes in a session id. */
export const SESSION_RANDOM_BYTES = 10;

/** Attempts that a session makes in some hours. Checking all takes some 10 ms, for ids in use only. */
const MAX_CHECKED_ATTEMPTS = 2_048;

/** No session makes as many attempts. */
const MARK_COUNTER = Number.MAX_SAFE_INTEGER;

const TIME_BYTES = LINK_ID_BYTES - SESSION_RANDOM_BYTES;
/** The largest time that fits the id's bytes. */
const MAX_TIME_MS = 2 ** (8 * TIME_BYTES) - 1;

/** A new session's id. @param random SESSION_RANDOM_BYTES random bytes. */
export function newSessionId(nowMs: WallMs, random: Uint8Array): SessionId {
  const timeMs = Math.min(Math.max(Math.floor(nowMs), 0), MAX_TIME_MS);
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timeMs));
  return parseSessionId(concatBytes(time.subarray(8 - TIME_BYTES), random));
}

/**
 * The name of a session's `counter`-th attempt: distinct for every session and counter. It need not be
 * secret, because everything that names it is signed.
 */
export function newLinkId(session: SessionId, counter: number): LinkId {
  const count = new Uint8Array(8);
  new DataView(count.buffer).setBigUint64(0, BigInt(counter));
  return parseLinkId(sha256(concatBytes(idBytes(session), count)).subarray(0, LINK_ID_BYTES));
}

/**
 * What a newcomer's announces at a door name in place of an attempt, so that newcomers do not link with each
 * other. Nobody else can make them say so: announces are signed.
 */
export function newcomerMark(session: SessionId): LinkId {
  return newLinkId(session, MARK_COUNTER);
}

/** Whether `link` names one of the first MAX_CHECKED_ATTEMPTS attempts of `session`. */
export function isLinkIdOf(session: SessionId, link: LinkId): boolean {
  for (let counter = 1; counter <= MAX_CHECKED_ATTEMPTS; counter++) {
    if (newLinkId(session, counter) === link) return true;
  }
  return false;
}

/** @throws PalmError 'bad-message' when `value` is not 16 bytes. */
export function parseSessionId(value: unknown): SessionId {
  return idText(value) as SessionId; // checked by idText
}

/** @throws PalmError 'bad-message' when `value` is not 16 bytes. */
export function parseLinkId(value: unknown): LinkId {
  return idText(value) as LinkId; // checked by idText
}

/** The 16 bytes behind an id. The caller owns them. */
export function idBytes(id: SessionId | LinkId): Uint8Array<ArrayBuffer> {
  return bytesOfHex(id);
}

function idText(value: unknown): string {
  if (!(value instanceof Uint8Array) || value.length !== LINK_ID_BYTES) {
    throw new PalmError({
      code: 'bad-message',
      what: 'record',
      detail: 'the name of a session or link is 16 bytes',
    });
  }
  return hexOf(value);
}
