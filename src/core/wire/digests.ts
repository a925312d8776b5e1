// What a device tells another that it should have by now, as CBOR (FORMATS.md, messages).

import { fieldsOf, textOf, uintOf } from '../encoding/decode.ts';

export interface Digests {
  /** The digest of the logs that both devices can keep. */
  readonly catalogue: string;
  /** The version of the sender's holdings, as sent on this link. */
  readonly holdings: number;
}

export function digestsOf(value: unknown): Digests {
  const { catalogue, holdings } = fieldsOf(value, ['kind', 'catalogue', 'holdings']);
  return { catalogue: textOf(catalogue, 64), holdings: uintOf(holdings, Number.MAX_SAFE_INTEGER) };
}
