// The first messages of a link: what each side is, what it can do, and which acts and keys it knows
// (FORMATS.md, messages).

import { ACT_MARK_BYTES } from '../catalogue/grants/act-set.ts';
import { bad, bytesOf, fieldsOf, listOf, openFieldsOf, textOf, uintOf } from '../encoding/decode.ts';
import {
  MAX_ACT_BYTES,
  MAX_ACT_COUNT,
  MAX_ACTS_PER_MESSAGE,
  MAX_SEALED_KEYS_BYTES,
} from '../model/limits.ts';
import { MAX_EPOCH } from '../model/pool-keys.ts';

/** Named besides its features by a device whose browser deletes what is not used. */
export const EVICTABLE_FEATURE = 'evictable';
/** Names of features in one message, and bytes of each: room for later versions. */
const MAX_FEATURE_COUNT = 64;
const MAX_FEATURE_BYTES = 32;

export type Greeting =
  /** First on every link, and alone until the other side's came: every version can read it. */
  | { readonly kind: 'hello'; readonly protocol: number; readonly epoch: number }
  /** After `hello`: what I can do beyond what the protocol promises. */
  | { readonly kind: 'features'; readonly features: readonly string[] }
  /** In a pool with a charter, right after `hello`: these acts I have; send me those that I lack. */
  | { readonly kind: 'acts-summary'; readonly marks: Uint8Array }
  /** Acts, each after those that it has seen. */
  | { readonly kind: 'acts'; readonly acts: readonly Uint8Array[] }
  /** Keys of an epoch that acts speak of are not here. */
  | { readonly kind: 'keys-wanted' }
  /** The answer: the secrets of all epochs, sealed to the exchange key of who asks. */
  | { readonly kind: 'keys'; readonly sealed: Uint8Array };

export function helloOf(value: unknown): Greeting & { kind: 'hello' } {
  const { protocol, epoch } = openFieldsOf(value, ['kind', 'protocol', 'epoch']);
  return { kind: 'hello', protocol: uintOf(protocol, 0xffff), epoch: uintOf(epoch, MAX_EPOCH) };
}

export function featuresOf(value: unknown): Greeting & { kind: 'features' } {
  const { features } = openFieldsOf(value, ['kind', 'features']);
  return {
    kind: 'features',
    features: listOf(features, MAX_FEATURE_COUNT, (feature) => textOf(feature, MAX_FEATURE_BYTES)),
  };
}

export function actsSummaryOf(value: unknown): Greeting & { kind: 'acts-summary' } {
  const { marks } = fieldsOf(value, ['kind', 'marks']);
  const bytes = bytesOf(marks, 0, MAX_ACT_COUNT * ACT_MARK_BYTES);
  if (bytes.length % ACT_MARK_BYTES !== 0) throw bad('marks of acts that are cut');
  return { kind: 'acts-summary', marks: bytes };
}

export function actsOf(value: unknown): Greeting & { kind: 'acts' } {
  const { acts } = fieldsOf(value, ['kind', 'acts']);
  return {
    kind: 'acts',
    acts: listOf(acts, MAX_ACTS_PER_MESSAGE, (act) => bytesOf(act, 1, MAX_ACT_BYTES)),
  };
}

export function keysWantedOf(value: unknown): Greeting & { kind: 'keys-wanted' } {
  fieldsOf(value, ['kind']);
  return { kind: 'keys-wanted' };
}

export function keysOf(value: unknown): Greeting & { kind: 'keys' } {
  const { sealed } = fieldsOf(value, ['kind', 'sealed']);
  return { kind: 'keys', sealed: bytesOf(sealed, 1, MAX_SEALED_KEYS_BYTES) };
}
