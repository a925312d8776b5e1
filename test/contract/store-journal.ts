// The contract of StoreJournal (ports.ts), for whoever implements it. Each case gets a journal that is empty.

import { parseBlockHash, type BlockHash } from '../../src/core/model/ids.ts';
import type { StoreJournal, UnfinishedStore } from '../../src/core/ports.ts';
import { checkEqual, type ContractCase } from './contract-case.ts';

export interface StoreJournalHarness {
  readonly journal: StoreJournal;
  /** The same disk after the process died: a new journal over what had been written. */
  readonly reopen: () => Promise<StoreJournal>;
}

export const storeJournalCases: readonly ContractCase<StoreJournalHarness>[] = [
  {
    name: 'unfinished stores come back as they were put, the oldest first',
    async run({ journal, reopen }) {
      checkEqual(await journal.load(), { stores: [], damagedCount: 0 }, 'an empty journal');
      await journal.put(unfinishedStoreAt(2));
      await journal.put(unfinishedStoreAt(1));
      const stores = [unfinishedStoreAt(1), unfinishedStoreAt(2)];
      checkEqual(await (await reopen()).load(), { stores, damagedCount: 0 }, 'the journal');
    },
  },
  {
    name: 'a store that is put again replaces its row and keeps its notes',
    async run({ journal }) {
      await journal.put(unfinishedStoreAt(1));
      await journal.noteSealed(idAt(1), 0, hashesAt(1));
      const renamed = { ...unfinishedStoreAt(1), path: 'elsewhere' };
      await journal.put(renamed);
      checkEqual((await journal.load()).stores, [renamed], 'the journal');
      checkEqual(await journal.sealedSegments(idAt(1)), [0], 'sealed segments');
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
    name: 'sealed segments are noted by store, in any order, once or twice',
    async run({ journal, reopen }) {
      for (const segment of [300, 2, 10, 2]) await journal.noteSealed(idAt(1), segment, hashesAt(segment));
      await journal.noteSealed(idAt(2), 7, hashesAt(7));
      const again = await reopen();
      checkEqual(await again.sealedSegments(idAt(1)), [2, 10, 300], 'segments');
      checkEqual(await again.sealedSegments(idAt(2)), [7], 'segments of the other');
      checkEqual(await again.sealedBlocks(idAt(1), 300), hashesAt(300), 'block hashes');
      checkEqual(await again.sealedBlocks(idAt(1), 7), undefined, 'a segment that was not noted');
      checkEqual(await again.sealedSegments(idAt(3)), [], 'segments of no store');
    },
  },
  {
    name: 'end removes a store with its notes, and no other',
    async run({ journal, reopen }) {
      for (const at of [1, 2]) {
        await journal.put(unfinishedStoreAt(at));
        await journal.noteSealed(idAt(at), 0, hashesAt(at));
      }
      await journal.end(idAt(1));
      await journal.end(idAt(1));
      const again = await reopen();
      checkEqual((await again.load()).stores, [unfinishedStoreAt(2)], 'the journal');
      checkEqual(await again.sealedSegments(idAt(1)), [], 'segments of the ended one');
      checkEqual(await again.sealedSegments(idAt(2)), [0], 'segments of the other');
    },
  },
  {
    name: 'clear removes everything',
    async run({ journal, reopen }) {
      await journal.put(unfinishedStoreAt(1));
      await journal.noteSealed(idAt(1), 0, hashesAt(1));
      await journal.clear();
      const again = await reopen();
      checkEqual(await again.load(), { stores: [], damagedCount: 0 }, 'the journal');
      checkEqual(await again.sealedSegments(idAt(1)), [], 'segments');
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
    segmentHashes: new Uint8Array(64).fill(at + 3),
    handle: undefined,
    begunAtMs: 1_760_000_000_000 + at,
  };
}

function idAt(at: number): string {
  return at.toString(16).padStart(32, '0');
}

function hashesAt(at: number): BlockHash[] {
  return Array.from({ length: 8 }, (_, index) => parseBlockHash(new Uint8Array(32).fill(at + index)));
}
