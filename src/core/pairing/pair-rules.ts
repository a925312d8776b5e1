// Whether a code that was read is one that this device can go on with. Pure.

import { equalBytes } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import type { BadPairCode } from '../model/failures.ts';
import type { PoolId } from '../model/ids.ts';
import { isOutside, pairCodeDigest, poolTag, type PairCode } from './pair-code.ts';

/** @throws PalmError 'bad-pair-code'. `pool`: that of this device; `own`: the code that it shows. */
export function checkOffer(offer: PairCode, pool: PoolId | undefined, own: PairCode | undefined): void {
  if (own !== undefined && equalBytes(own.fingerprint, offer.fingerprint)) throw bad('own');
  checkPool(offer, pool);
}

/** @throws PalmError 'bad-pair-code'. `own`: the code that this device shows, while it can be answered. */
export function checkAnswer(answer: PairCode, pool: PoolId | undefined, own: PairCode | undefined): void {
  if (own === undefined) throw bad('no-offer');
  if (answer.offer === undefined || !equalBytes(answer.offer, pairCodeDigest(own))) throw bad('other-offer');
  checkPool(answer, pool);
}

/**
 * `letIn`: whether this device, which is in a pool if the other is not, may let it in.
 * @throws PalmError 'bad-pair-code' if it was not asked to.
 */
export function checkLetIn(code: PairCode, pool: PoolId | undefined, letIn: boolean): void {
  if (pool !== undefined && isOutside(code) && !letIn) throw bad('newcomer');
}

/** One of the two is in a pool, or both are in one. */
function checkPool(code: PairCode, pool: PoolId | undefined): void {
  if (isOutside(code)) {
    if (pool === undefined) throw bad('no-pool');
  } else if (pool !== undefined && !equalBytes(code.pool, poolTag(pool, code.fingerprint))) {
    throw bad('other-pool');
  }
}

function bad(reason: Exclude<BadPairCode['reason'], 'missing'>): PalmError {
  return new PalmError({ code: 'bad-pair-code', reason });
}
