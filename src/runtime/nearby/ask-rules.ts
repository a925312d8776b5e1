// What both ends of an ask to join keep to.

import { equalBytes } from '../../core/model/bytes.ts';
import type { NearbyLetter } from '../../core/nearby/nearby-letter.ts';

/** How long an ask waits for somebody who looks at it, ms: people walk to the other device, or call. */
export const ASK_MS = 180_000;
/** How long the codes are shown, ms. */
export const COMPARE_MS = 180_000;
/** A device that wants to compare reveals its key by itself, ms. */
export const REVEAL_MS = 20_000;
/** From the right digits to the newcomer in the pool, ms: the signs may still have to be picked out. */
export const JOIN_MS = COMPARE_MS + 60_000;
/** How long the invite is valid, ms: by two clocks, one of which may be minutes off. */
export const INVITE_MS = 15 * 60_000;
/**
 * Entries that people have for a code, of which all but the last may be slips. Whoever stands between the
 * devices wins with each by one chance in a million.
 */
export const TRIES = 2;
/** Asks that are heard in a burst, and how often another one is, ms: a flood is not answered. */
export const ASK_BURST = 8;
export const ASK_EVERY_MS = 5_000;

export function isOf(letter: NearbyLetter, ask: Uint8Array): boolean {
  return equalBytes(letter.ask, ask);
}
