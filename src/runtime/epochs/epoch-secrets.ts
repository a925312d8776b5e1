// What opens the epochs of this device's pool, kept among its secrets, so that a lock covers it: the secrets
// of all epochs but the first, whose secret is kept with the pool, and the pairs of the exchange keys that
// this device ever published.

import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import { epochCheckOf, type EpochSecret } from '../../core/catalogue/grants/epoch-keys.ts';
import {
  bytesOf,
  decodeCbor,
  encodeCbor,
  linkOf,
  listOf,
  tupleOf,
  uintOf,
} from '../../core/encoding/decode.ts';
import { equalBytes } from '../../core/model/bytes.ts';
import { PalmError, isPalmError } from '../../core/model/errors.ts';
import { EXCHANGE_SECRET_BYTES, parseExchangeKey, type ExchangePair } from '../../core/model/exchange-key.ts';
import { cidOf, parseEntryId, type EntryId } from '../../core/model/ids.ts';
import { MAX_EPOCH_COUNT, MAX_EXCHANGE_PAIRS, MAX_SEALED_KEYS_BYTES } from '../../core/model/limits.ts';
import { MAX_EPOCH, POOL_SECRET_BYTES } from '../../core/model/pool-keys.ts';
import type { Cryptography, SecretStore } from '../../core/ports.ts';

const EPOCHS = 'epoch-secrets';
const PAIRS = 'exchange-pairs';
const MAX_PAIRS_BYTES = 64 * 1024; // some 110 bytes for each of MAX_EXCHANGE_PAIRS, with room to spare

/** With its number, which its act says, a secret gives keys before the acts are there. */
export interface NumberedSecret {
  readonly epoch: EntryId;
  readonly number: number;
  /** 32 bytes. */
  readonly secret: Uint8Array;
}

/** Those that are kept besides epoch 0's. @throws PalmError 'storage-failed' when what is kept is damaged. */
export async function loadEpochSecrets(secrets: SecretStore): Promise<NumberedSecret[]> {
  return decoded(await secrets.get(EPOCHS), (bytes) =>
    listOf(decodeCbor(bytes, MAX_SEALED_KEYS_BYTES), MAX_EPOCH_COUNT, (value) => {
      const [epoch, number, secret] = tupleOf(value, 3);
      return {
        epoch: parseEntryId(linkOf(epoch)),
        number: uintOf(number, MAX_EPOCH),
        secret: bytesOf(secret, POOL_SECRET_BYTES, POOL_SECRET_BYTES),
      };
    }),
  );
}

export function saveEpochSecrets(secrets: SecretStore, known: readonly NumberedSecret[]): Promise<void> {
  const rows = known.map(({ epoch, number, secret }) => [cidOf(epoch), number, secret]);
  return secrets.put(EPOCHS, encodeCbor(rows));
}

/** What tells right secrets of an epoch. */
interface SaidEpoch {
  readonly number: number;
  readonly check: Uint8Array;
}

/** Undefined where the act is not here, or is none of an epoch. */
export function saidIn(act: CheckedAct | undefined): SaidEpoch | undefined {
  return act?.record.body.kind === 'epoch' ? act.record.body : undefined;
}

/** Those of `given` that are what is known of their epochs; epoch 0's has no act, and is left out. */
export function rightSecrets(
  given: readonly EpochSecret[],
  known: (epoch: EntryId) => SaidEpoch | undefined,
): NumberedSecret[] {
  return given.flatMap(({ epoch, secret }) => {
    const said = epoch === null ? undefined : known(epoch);
    const isRight = said !== undefined && equalBytes(said.check, epochCheckOf(secret));
    return epoch !== null && isRight ? [{ epoch, number: said.number, secret }] : [];
  });
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
