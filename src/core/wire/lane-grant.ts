// The message by which a device next to the relay offers its lane (FORMATS.md, the lane).

import { bytesOf, fieldsOf, listOf, textOf, uintOf } from '../encoding/decode.ts';
import { LANE_TOKEN_BYTES, MAX_LANE_LIFE_MS, MAX_LANE_ORIGINS, MAX_ORIGIN_BYTES } from '../model/limits.ts';

export interface LaneGrant {
  readonly kind: 'lane';
  /** Origins of the relay's pages. A page of another origin has no lane to the sender. */
  readonly origins: readonly string[];
  /** Of this link alone, and of nobody else. */
  readonly token: Uint8Array;
  /** How long the token is good from now on. */
  readonly lifeMs: number;
}

/** @throws PalmError 'bad-message'. */
export function laneOf(value: unknown): LaneGrant {
  const { origins, token, lifeMs } = fieldsOf(value, ['kind', 'origins', 'token', 'lifeMs']);
  return {
    kind: 'lane',
    origins: listOf(origins, MAX_LANE_ORIGINS, (origin) => textOf(origin, MAX_ORIGIN_BYTES)),
    token: bytesOf(token, LANE_TOKEN_BYTES, LANE_TOKEN_BYTES),
    lifeMs: uintOf(lifeMs, MAX_LANE_LIFE_MS),
  };
}
