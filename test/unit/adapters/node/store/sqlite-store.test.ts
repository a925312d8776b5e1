// The stores of a Node device keep the ports' contracts over SQLite and files, and whatever moment a kill
// comes at, what was acknowledged is there, and nothing is half there.

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sha256 } from '@noble/hashes/sha2.js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FolderError } from '../../../../../src/adapters/node/store/folder-error.ts';
import { SqliteDatabase } from '../../../../../src/adapters/node/store/sqlite-database.ts';
import { findSqlite } from '../../../../../src/adapters/node/store/sqlite.ts';
import { equalBytes } from '../../../../../src/core/model/bytes.ts';
import { PalmError } from '../../../../../src/core/model/errors.ts';
import {
  type BlockHash,
  fileIdOf,
  type FragmentId,
  fragmentIdOf,
  ownerOfStore,
  ownerOfTaking,
} from '../../../../../src/core/model/ids.ts';
import { USUAL_BLOCK_BYTES } from '../../../../../src/core/model/limits.ts';
import {
  CONTRACT_BLOCK_BYTES,
  fragmentStoreCases,
  type FragmentStoreHarness,
  keepAs,
} from '../../../../contract/fragment-store.ts';
import { recordStoreCases } from '../../../../contract/record-store.ts';
import { storeJournalCases, unfinishedStoreAt } from '../../../../contract/store-journal.ts';
import { NodeDisk } from '../../../../fixtures/node-device.ts';
import { blockOf } from '../../../../fixtures/test-blocks.ts';

/** The first pack for blocks of the usual size and below: the contract's cases never fill it. */
const CONTRACT_PACK = `blocks/pack-${2 ** 25}`;

let disk: NodeDisk;

beforeEach(() => (disk = new NodeDisk()));
afterEach(() => disk.delete());

describe('the fragment store of a Node device', () => {
  for (const { name, run } of fragmentStoreCases) it(name, async () => run(await harness()));
});

describe('the records of a Node device', () => {
  for (const { name, run } of recordStoreCases) {
    it(name, async () => {
      const { records } = await disk.open();
      await run({ store: records, reopen: async () => (await disk.open()).records });
    });
  }
});

describe('the journal of a Node device', () => {
  for (const { name, run } of storeJournalCases) {
    it(name, async () => {
      const { journal } = await disk.open();
      await run({ journal, reopen: async () => (await disk.open()).journal });
    });
  }
});

it('keeps what was acknowledged, and nothing half, whatever moment a kill comes at', async () => {
  const moments: { path: string; acknowledged: readonly string[] }[] = [];
  const acknowledged: string[] = [];
  const { fragments, journal, secrets, records } = await disk.open();
  disk.onWrite = () => moments.push({ path: disk.snapshot(), acknowledged: [...acknowledged] });
  const [block, small] = [blockOf(1, CONTRACT_BLOCK_BYTES), blockOf(2, 100)];
  const index = new Uint8Array([1, 2, 3]);
  const stored = {
    fragmentId: fragmentIdOf(index),
    fileId: fileIdOf(index),
    fragment: 0,
    blockBytes: CONTRACT_BLOCK_BYTES + 100,
  };
  const told = async (what: string, work: Promise<unknown>): Promise<void> => {
    await work;
    acknowledged.push(what);
  };
  const [given, hashes] = [[block, small].map(copyOf), [block.hash, small.hash]];
  await told('journal', journal.put(unfinishedStoreAt(1)));
  await told('secret', secrets.put('name', new Uint8Array([7])));
  await told('kept', fragments.putBlocks(ownerOfStore('0'.repeat(32)), given, 'claimed', keepAs(0)));
  await told('fragment', fragments.commit([{ stored, indexBytes: index, hashes }]));
  await told('outbox', records.putOutbox(stored.fileId));
  await told('ended', journal.end(unfinishedStoreAt(1).storeId));
  await told('released', fragments.release(ownerOfStore('0'.repeat(32))));
  disk.onWrite = () => undefined;
  expect(moments.length).toBeGreaterThan(20);
  for (const { path, acknowledged: before } of moments) {
    const again = await disk.open(path);
    const where = `after ${before.at(-1) ?? 'nothing'}`;
    const listed = await again.fragments.list();
    if (before.includes('fragment')) expect(listed, where).toEqual([stored]);
    for (const { fragmentId } of listed) {
      expect(await again.fragments.getIndex(fragmentId), where).toEqual(index);
      for (const { hash, bytes } of [block, small]) {
        const read = await again.fragments.getBlock(hash);
        expect(read !== undefined && equalBytes(read, bytes), where).toBe(true);
      }
    }
    const { stores, damagedCount } = await again.journal.load();
    expect(damagedCount, where).toBe(0);
    if (before.includes('journal') && !before.includes('outbox')) expect(stores, where).toHaveLength(1);
    if (before.includes('ended')) expect(stores, where).toEqual([]);
    if (before.includes('secret')) expect(await again.secrets.get('name'), where).toEqual(Uint8Array.of(7));
    if (before.includes('outbox')) expect(await again.records.loadOutbox(), where).toEqual([stored.fileId]);
    const kept = await again.fragments.kept(ownerOfStore('0'.repeat(32)));
    if (before.includes('kept') && !before.includes('ended')) {
      expect(kept.get(0)?.blocks, where).toEqual([block.hash, small.hash]);
    }
    expect(again.damagedRowCount(), where).toBe(0);
    await again.closed();
    rmSync(path, { recursive: true });
  }
});

it('leaves nothing that opens a fragment which was dropped', async () => {
  const { fragments, closed } = await disk.open();
  const block = blockOf(1, CONTRACT_BLOCK_BYTES);
  const index = new TextEncoder().encode('a share of a key that must go');
  const stored = {
    fragmentId: fragmentIdOf(index),
    fileId: fileIdOf(index),
    fragment: 0,
    blockBytes: CONTRACT_BLOCK_BYTES,
  };
  await fragments.putBlocks(ownerOfTaking(1), [copyOf(block)], 'claimed');
  await fragments.commit([{ stored, indexBytes: index, hashes: [block.hash] }]);
  const keys = readFileSync(join(disk.path, 'keys/keys'));
  await fragments.drop([stored.fragmentId]);
  const left = readFileSync(join(disk.path, 'keys/keys'));
  const erased = slotsOf(keys).filter((key, at) => !key.equals(slotsOf(left)[at] ?? Buffer.alloc(0)));
  expect(erased).toHaveLength(1);
  await closed();
  for (const file of readdirSync(disk.path, { recursive: true, encoding: 'utf8' })) {
    const path = join(disk.path, file);
    if (statSync(path).isDirectory()) continue;
    const bytes = readFileSync(path);
    expect(bytes.includes('a share of a key'), file).toBe(false);
    expect(bytes.includes(erased[0] ?? ''), file).toBe(false);
  }
});

it('refuses a database of a newer version, and does not change it', async () => {
  const openSql = await findSqlite();
  const path = join(disk.path, 'newer.db');
  const newer = openSql(path);
  newer.exec('PRAGMA user_version = 2');
  newer.close();
  const before = readFileSync(path);
  await expect(SqliteDatabase.open(path, openSql)).rejects.toSatisfy(
    (error) => error instanceof FolderError && error.trouble.kind === 'newer',
  );
  expect(readFileSync(path)).toEqual(before);
});

it('refuses a file that is no database', async () => {
  const path = join(disk.path, 'text.db');
  writeFileSync(path, 'something else, and long enough to be taken for a header of one. '.repeat(100));
  await expect(SqliteDatabase.open(path, await findSqlite())).rejects.toBeInstanceOf(PalmError);
});

it('finds out that its database was deleted under it', async () => {
  const { check } = await disk.open();
  await check();
  rmSync(join(disk.path, 'fragments.db'));
  await expect(check()).rejects.toMatchObject({ failure: { code: 'storage-failed', reason: 'gone' } });
});

async function harness(): Promise<FragmentStoreHarness> {
  return {
    store: (await disk.open()).fragments,
    reopen: async () => (await disk.open()).fragments,
    corruptBlock: async (hash) => disk.flipBit(CONTRACT_PACK, placeOf(hash) + 7),
    deleteBlock: async (hash) => disk.flipBit(CONTRACT_PACK, placeOf(hash) + 7),
    corruptIndex,
    fillDisk: async (freeBytes) => {
      let leftBytes = freeBytes;
      disk.fits = (bytes) => (leftBytes -= bytes) >= 0;
    },
    freeDisk: async () => void (disk.fits = () => true),
  };
}

/** Where in the first pack a block lies, bytes. */
function placeOf(hash: BlockHash): number {
  const pack = readFileSync(join(disk.path, CONTRACT_PACK));
  for (let at = 0; at < pack.length; at += USUAL_BLOCK_BYTES)
    if (equalBytes(sha256(pack.subarray(at, at + CONTRACT_BLOCK_BYTES)), hash)) return at;
  throw new Error('the block is not in the pack');
}

async function corruptIndex(fragmentId: FragmentId): Promise<void> {
  const database = await SqliteDatabase.open(join(disk.path, 'fragments.db'), await findSqlite());
  await database.run(['indexes'], 'readwrite', 'strict', async (transaction) => {
    const indexes = transaction.objectStore('indexes');
    for (const key of await indexes.getAllKeys({ kind: 'of', item: fragmentId })) {
      const value = await indexes.get(key);
      if (!(value instanceof Uint8Array)) throw new Error('no index');
      await indexes.put(
        Uint8Array.from(value, (byte, at) => (at === 20 ? byte ^ 1 : byte)),
        key,
      );
    }
  });
  await database.closed();
}

function slotsOf(keys: Buffer): Buffer[] {
  return Array.from({ length: keys.length / 32 }, (_, at) => keys.subarray(at * 32, at * 32 + 32));
}

function copyOf<Block extends { readonly bytes: Uint8Array<ArrayBuffer> }>(block: Block): Block {
  return { ...block, bytes: block.bytes.slice() };
}
