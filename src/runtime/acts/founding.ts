// How a pool with a charter begins on this device, before it is opened: the charter is written, or the acts
// that came with the admission are kept, and from then on this device follows it.

import type { ActBody } from '../../core/catalogue/grants/act-body.ts';
import type { CheckedAct } from '../../core/catalogue/grants/act.ts';
import { ActSet } from '../../core/catalogue/grants/act-set.ts';
import type { EntryId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { Clock, Cryptography, Identity, Random, RecordStore, SecretStore } from '../../core/ports.ts';
import { ActKeeping } from './act-keeping.ts';
import { signAct } from './act-writer.ts';
import { saveCharter } from './followed-charter.ts';

export interface FoundingPorts {
  readonly clock: Clock;
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly records: RecordStore;
  readonly secrets: SecretStore;
}

type CharterTerms = Omit<ActBody & { readonly kind: 'charter' }, 'kind' | 'seen'>;

/** Writes the charter of a pool, which this device then follows. To be saved before the pool's secret. */
export async function foundPool(
  ports: FoundingPorts,
  identity: Identity,
  keys: KeyRing,
  terms: CharterTerms,
): Promise<CheckedAct> {
  const position = { seq: 1, prev: undefined, seen: [] };
  const charter = await signAct({ ...ports, identity, keys }, { kind: 'charter', ...terms }, position);
  await followPool(ports, keys, charter.record.id, [charter]);
  return charter;
}

/** From now on this device follows the charter. `acts`: those that it was given with it, checked. */
export async function followPool(
  ports: FoundingPorts,
  keys: KeyRing,
  charter: EntryId,
  acts: readonly CheckedAct[],
): Promise<void> {
  const set = new ActSet();
  set.follow(charter);
  set.add(acts);
  await new ActKeeping({ ...ports, keys, acts: set, slices: { next: async () => undefined } }).keep();
  await saveCharter(ports.secrets, charter);
}
