// What opens the epochs of this device's pool, kept among its secrets, so that a lock covers it: the secrets
// of all epochs but the first, whose secret is kept with the pool, and the pairs of the exchange keys that
// this device ever published.

import {
  encodeEpochSecrets,
  decodeEpochSecrets,
  type EpochSecret,
} from '../../core/catalogue/grants/epoch-keys.ts';
import { bytesOf, decodeCbor, encodeCbor, listOf, tupleOf } from '../../core/encoding/decode.ts';
import { PalmError, isPalmError } from '../../core/model/errors.ts';
import { EXCHANGE_SECRET_BYTES, parseExchangeKey, type ExchangePair } from '../../core/model/exchange-key.ts';
import { MAX_EXCHANGE_PAIRS } from '../../core/model/limits.ts';
import type { Cryptography, SecretStore } from '../../core/ports.ts';

const EPOCHS = 'epoch-secrets';
const PAIRS = 'exchange-pairs';
const MAX_PAIRS_BYTES = 64 * 1024; // some 110 bytes for each of MAX_EXCHANGE_PAIRS, with room to spare

/** Those that are kept besides epoch 0's. @throws PalmError 'storage-failed' when what is kept is damaged. */
export async function loadEpochSecrets(secrets: SecretStore): Promise<EpochSecret[]> {
  return decoded(await secrets.get(EPOCHS), decodeEpochSecrets);
}

/** Epoch 0's may be among them, and is left out. */
export function saveEpochSecrets(secrets: SecretStore, known: readonly EpochSecret[]): Promise<void> {
  return secrets.put(EPOCHS, encodeEpochSecrets(known.filter(({ epoch }) => epoch !== null)));
}

/** The newest last. @throws PalmError 'storage-failed' when what is kept is damaged. */
export async function loadExchangePairs(secrets: SecretStore): Promise<ExchangePair[]> {
  return decoded(await secrets.get(PAIRS), (bytes) =>
    listOf(decodeCbor(bytes, MAX_PAIRS_BYTES), MAX_EXCHANGE_PAIRS, (value) => {
      const [publicKey, privateKey] = tupleOf(value, 2);
      return {
        publicKey: parseExchangeKey(publicKey),
        privateKey: bytesOf(privateKey, EXCHANGE_SECRET_BYTES, EXCHANGE_SECRET_BYTES),
      };
    }),
  );
}

/** This device's newest pair; a new one, kept before anybody hears of it, if there is none. */
export async function ownExchangePair(
  secrets: SecretStore,
  cryptography: Pick<Cryptography, 'newExchangePair'>,
): Promise<ExchangePair> {
  const pairs = await loadExchangePairs(secrets);
  const newest = pairs.at(-1);
  if (newest !== undefined) return newest;
  const made = await cryptography.newExchangePair();
  const rows = [...pairs, made].map(({ publicKey, privateKey }) => [publicKey, privateKey]);
  await secrets.put(PAIRS, encodeCbor(rows));
  return made;
}

function decoded<Item>(bytes: Uint8Array | undefined, decode: (bytes: Uint8Array) => Item[]): Item[] {
  if (bytes === undefined) return [];
  try {
    return decode(bytes);
  } catch (cause) {
    if (!isPalmError(cause, 'bad-message')) throw cause;
    throw new PalmError({ code: 'storage-failed', reason: 'pool-key-damaged' }, { cause });
  }
}
