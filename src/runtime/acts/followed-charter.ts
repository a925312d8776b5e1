// The charter that this device follows, kept among the secrets: with it decides who may what, so it must not
// be lost apart from the pool's secret.

import { utf8 } from '../../core/model/bytes.ts';
import { PalmError } from '../../core/model/errors.ts';
import { parseEntryId, type EntryId } from '../../core/model/ids.ts';
import type { SecretStore } from '../../core/ports.ts';

const CHARTER = 'pool-charter';

/** Undefined in a pool without one. @throws PalmError 'storage-failed' when what is kept is damaged. */
export async function loadCharter(secrets: SecretStore): Promise<EntryId | undefined> {
  const kept = await secrets.get(CHARTER);
  if (kept === undefined || kept.length === 0) return undefined;
  try {
    return parseEntryId(new TextDecoder().decode(kept));
  } catch (cause) {
    throw new PalmError({ code: 'storage-failed', reason: 'pool-key-damaged' }, { cause });
  }
}

/** Before the pool's secret: a page that ends in between is in no pool. */
export function saveCharter(secrets: SecretStore, charter: EntryId): Promise<void> {
  return secrets.put(CHARTER, utf8(charter));
}

/** One that an earlier page saved and whose pool it never entered. */
export async function forgetCharter(secrets: SecretStore): Promise<void> {
  const kept = await secrets.get(CHARTER);
  if (kept !== undefined && kept.length > 0) await secrets.put(CHARTER, new Uint8Array(0));
}
