// Secrets of epochs, sealed to the exchange keys of devices (FORMATS.md, epochs): one secret for each device
// in the act that begins an epoch, and all that a device lacks in a message over a link. Every sealing key is
// derived from an exchange with a pair that was made for this act or message, and from everything that says
// for whom and what it is. So it seals once, a nonce of zeros is safe, and nothing can be moved elsewhere.

import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { bad, bytesOf, decodeCbor, encodeCbor, linkOf, listOf, tupleOf } from '../../encoding/decode.ts';
import { concatBytes, equalBytes, utf8 } from '../../model/bytes.ts';
import {
  EXCHANGE_KEY_BYTES,
  parseExchangeKey,
  type ExchangeKey,
  type ExchangePair,
} from '../../model/exchange-key.ts';
import { cidOf, digestOf, parseEntryId, type DeviceId, type EntryId } from '../../model/ids.ts';
import { MAX_EPOCH_COUNT, MAX_SEALED_KEYS_BYTES } from '../../model/limits.ts';
import { POOL_SECRET_BYTES } from '../../model/pool-keys.ts';
import type { Cryptography } from '../../ports.ts';

/** What tells a right secret of an epoch from a wrong one, bytes. */
const EPOCH_CHECK_BYTES = 16;

/** Safe: every key seals once. */
const ZERO_NONCE = new Uint8Array(12);
const ITEM_LABEL = utf8('palm/v1/epoch-key');
const MESSAGE_LABEL = utf8('palm/v1/keys');

/** The secret of an epoch; null is the epoch that the pool began with. */
export interface EpochSecret {
  readonly epoch: EntryId | null;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** What the keys of an epoch's act are bound to, besides the device. */
export interface EpochBinding {
  readonly charter: EntryId;
  /** The epochs that this one follows, in the order of its act. */
  readonly parents: readonly EntryId[];
  /** 16 bytes. */
  readonly check: Uint8Array;
}

/** Between whom keys go over a link. */
export interface KeysBinding {
  readonly charter: EntryId;
  readonly from: DeviceId;
  readonly to: DeviceId;
}

/** Public: reveals nothing about the secret. */
export function epochCheckOf(secret: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(hkdf(sha256, secret, undefined, utf8('palm/v1/epoch-check'), EPOCH_CHECK_BYTES));
}

/**
 * A new epoch's secret, for one device. `sender` is made for this act and forgotten.
 * @returns 48 bytes.
 */
export async function sealEpochKey(
  secret: Uint8Array,
  binding: EpochBinding,
  device: DeviceId,
  exchangeKey: ExchangeKey,
  sender: ExchangePair,
  cryptography: Pick<Cryptography, 'agree' | 'seal'>,
): Promise<Uint8Array<ArrayBuffer>> {
  const shared = await cryptography.agree(sender, exchangeKey);
  const key = itemKey(shared, binding, device, sender.publicKey, exchangeKey);
  return cryptography.seal(key, ZERO_NONCE, ITEM_LABEL, secret);
}

/** Undefined when `sealed` does not open for this device, or is not the secret that `check` stands for. */
export async function openEpochKey(
  sealed: Uint8Array,
  binding: EpochBinding,
  device: DeviceId,
  own: ExchangePair,
  sender: ExchangeKey,
  cryptography: Pick<Cryptography, 'agree' | 'open'>,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const shared = await cryptography.agree(own, sender);
  const key = itemKey(shared, binding, device, sender, own.publicKey);
  const secret = await cryptography.open(key, ZERO_NONCE, ITEM_LABEL, sealed);
  const isRight = secret?.length === POOL_SECRET_BYTES && equalBytes(epochCheckOf(secret), binding.check);
  return isRight ? secret : undefined;
}

/** Secrets for the device `binding.to`, whose exchange key is `exchangeKey`. */
export async function sealKeys(
  secrets: readonly EpochSecret[],
  binding: KeysBinding,
  exchangeKey: ExchangeKey,
  cryptography: Pick<Cryptography, 'agree' | 'newExchangePair' | 'seal'>,
): Promise<Uint8Array<ArrayBuffer>> {
  const sender = await cryptography.newExchangePair();
  const shared = await cryptography.agree(sender, exchangeKey);
  const key = messageKey(shared, binding, sender.publicKey, exchangeKey);
  const plain = encodeCbor(
    secrets.map(({ epoch, secret }) => [epoch === null ? null : cidOf(epoch), secret]),
  );
  const sealed = await cryptography.seal(key, ZERO_NONCE, MESSAGE_LABEL, plain);
  return concatBytes(sender.publicKey, sealed);
}

/**
 * What `sealKeys` sealed. `own`: the pair whose public half it was sealed to. Whether a secret is that of its
 * epoch is for the caller to check.
 * @throws PalmError 'bad-message' for anything that was not sealed under the same binding and key.
 */
export async function openKeys(
  sealed: Uint8Array,
  binding: KeysBinding,
  own: ExchangePair,
  cryptography: Pick<Cryptography, 'agree' | 'open'>,
): Promise<EpochSecret[]> {
  if (sealed.length > MAX_SEALED_KEYS_BYTES) throw bad('sealed keys of impossible length');
  const sender = parseExchangeKey(sealed.subarray(0, EXCHANGE_KEY_BYTES));
  const shared = await cryptography.agree(own, sender);
  const key = messageKey(shared, binding, sender, own.publicKey);
  const box = sealed.subarray(EXCHANGE_KEY_BYTES);
  const plain = await cryptography.open(key, ZERO_NONCE, MESSAGE_LABEL, box);
  if (plain === undefined) throw bad('keys that were not sealed for this device');
  return listOf(decodeCbor(plain, MAX_SEALED_KEYS_BYTES), MAX_EPOCH_COUNT, epochSecretOf);
}

function epochSecretOf(value: unknown): EpochSecret {
  const [epoch, secret] = tupleOf(value, 2);
  return {
    epoch: epoch === null ? null : parseEntryId(linkOf(epoch)),
    secret: bytesOf(secret, POOL_SECRET_BYTES, POOL_SECRET_BYTES),
  };
}

function itemKey(
  shared: Uint8Array,
  { charter, parents, check }: EpochBinding,
  device: DeviceId,
  sender: ExchangeKey,
  receiver: ExchangeKey,
): Uint8Array {
  const following = sha256(concatBytes(...parents.map(digestOf)));
  const names = [digestOf(charter), digestOf(device), following, check, sender, receiver];
  return hkdf(sha256, shared, undefined, concatBytes(ITEM_LABEL, ...names), 32);
}

function messageKey(
  shared: Uint8Array,
  { charter, from, to }: KeysBinding,
  sender: ExchangeKey,
  receiver: ExchangeKey,
): Uint8Array {
  const names = [digestOf(charter), digestOf(from), digestOf(to), sender, receiver];
  return hkdf(sha256, shared, undefined, concatBytes(MESSAGE_LABEL, ...names), 32);
}
