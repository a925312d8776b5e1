// The contract of StoreJournal (ports.ts), for every implementation. Each case gets an empty journal.

import type { StoreJournal, UnfinishedStore } from '../../src/core/ports.ts';
import { checkEqual, type ContractCase } from './contract-case.ts';

export interface StoreJournalHarness {
  readonly journal: StoreJournal;
  /** The same disk after the process died: a new journal over the written data. */
  readonly reopen: () => Promise<StoreJournal>;
}

export const storeJournalCases: readonly ContractCase<StoreJournalHarness>[] = [
  {
    name: 'unfinished stores come back as they were put, oldest first',
    async run({ journal, reopen }) {
      checkEqual(await journal.load(), { stores: [], damagedCount: 0 }, 'an empty journal');
      await journal.put(unfinishedStoreAt(2));
      await journal.put(unfinishedStoreAt(1));
      const stores = [unfinishedStoreAt(1), unfinishedStoreAt(2)];
      checkEqual(await (await reopen()).load(), { stores, damagedCount: 0 }, 'the journal');
    },
  },
  {
    name: 'a store that is put again replaces its row',
    async run({ journal }) {
      await journal.put(unfinishedStoreAt(1));
      const renamed = { ...unfinishedStoreAt(1), path: 'elsewhere' };
      await journal.put(renamed);
      checkEqual((await journal.load()).stores, [renamed], 'the journal');
    },
  },
  {
    name: "a store's bytes are nobody else's",
    async run({ journal }) {
      const store = unfinishedStoreAt(1);
      await journal.put(store);
      store.linkKey.fill(0);
      checkEqual((await journal.load()).stores, [unfinishedStoreAt(1)], 'the journal');
    },
  },
  {
    name: 'end removes only the given store',
    async run({ journal, reopen }) {
      for (const at of [1, 2]) await journal.put(unfinishedStoreAt(at));
      await journal.end(idAt(1));
      await journal.end(idAt(1));
      const again = await reopen();
      checkEqual((await again.load()).stores, [unfinishedStoreAt(2)], 'the journal');
    },
  },
  {
    name: 'clear removes everything',
    async run({ journal, reopen }) {
      await journal.put(unfinishedStoreAt(1));
      await journal.clear();
      const again = await reopen();
      checkEqual(await again.load(), { stores: [], damagedCount: 0 }, 'the journal');
    },
  },
];

/** A store of two segments; a later one for a larger `at`. */
export function unfinishedStoreAt(at: number): UnfinishedStore {
  return {
    storeId: idAt(at),
    name: 'film.mp4',
    path: 'Films/2026',
    mime: 'video/mp4',
    modifiedMs: 1_700_000_000_000,
    isPrivate: at % 2 === 0,
    size: 2_000_000,
    k: 4,
    n: 8,
    blockBytes: 262_144,
    linkKey: new Uint8Array(32).fill(at),
    sharedKey: new Uint8Array(32).fill(at + 1),
    salt: new Uint8Array(32).fill(at + 2),
    handle: undefined,
    begunAtMs: 1_760_000_000_000 + at,
  };
}

function idAt(at: number): string {
  return at.toString(16).padStart(32, '0');
}
