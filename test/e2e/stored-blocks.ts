// A device's storage from below, around the app: what is really on its disk, and damage done to it. Blocks are rows of
// IndexedDB's `blocks`, or lie in a file of the origin's file system where a row of `slots` says.

import type { Page } from '@playwright/test';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';

/** One fragment on a device's disk: its blocks' hashes (hex) in the order of the file's segments. */
export interface FragmentOnDisk {
  /** i in 0..n-1. */
  readonly fragment: number;
  readonly blocks: readonly string[];
}

/** Both in hex. */
interface Dump {
  readonly blockKeys: string[];
  /** Encoded fragment indexes. */
  readonly indexes: string[];
}

/** Hashes (hex, sorted) of the blocks that are there, and of those that the fragments there consist of. */
export async function storedBlocks(page: Page): Promise<{ present: string[]; counted: string[] }> {
  const dump = await page.evaluate(dumpDatabase);
  const counted = new Set(fragmentsIn(dump).flatMap(({ blocks }) => blocks));
  return { present: dump.blockKeys.toSorted(compare), counted: [...counted].toSorted(compare) };
}

export async function storedFragments(page: Page): Promise<FragmentOnDisk[]> {
  return fragmentsIn(await page.evaluate(dumpDatabase));
}

/** Flips one bit in the middle of a block, as a failing disk does. */
export async function damageBlock(page: Page, hash: string): Promise<void> {
  await page.evaluate(flipBit, hash);
}

function fragmentsIn(dump: Dump): FragmentOnDisk[] {
  return dump.indexes.map((hex) => {
    const { fragment, blocks } = decodeFragmentIndex(new Uint8Array(Buffer.from(hex, 'hex')));
    return { fragment, blocks: blocks.map((hash) => Buffer.from(hash).toString('hex')) };
  });
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Runs in the page, as source text. */
async function dumpDatabase(): Promise<Dump> {
  const answerOf = <Value>(request: IDBRequest<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(request.error ?? new Error('The request failed.')));
    });
  const hexOf = (value: unknown): string => {
    const bytes =
      value instanceof ArrayBuffer ? new Uint8Array(value) : value instanceof Uint8Array ? value : undefined;
    if (bytes === undefined) throw new Error('A row is not made of bytes.');
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  };
  const database = await answerOf(indexedDB.open('palm'));
  const transaction = database.transaction(['blocks', 'slots', 'indexes']);
  const [rowKeys, slotKeys, indexes] = await Promise.all([
    answerOf(transaction.objectStore('blocks').getAllKeys()),
    answerOf(transaction.objectStore('slots').getAllKeys()),
    answerOf(transaction.objectStore('indexes').getAll()),
  ]);
  database.close();
  return { blockKeys: [...rowKeys, ...slotKeys].map(hexOf), indexes: indexes.map(hexOf) };
}

/** Runs in the page, as source text. */
async function flipBit(hash: string): Promise<void> {
  const answerOf = <Value>(request: IDBRequest<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(request.error ?? new Error('The request failed.')));
    });
  const key = new Uint8Array(Array.from(hash.matchAll(/../g), ([byte]) => Number.parseInt(byte, 16)));
  const database = await answerOf(indexedDB.open('palm'));
  const reading = database.transaction(['blocks', 'slots']);
  const [row, place]: unknown[] = await Promise.all([
    answerOf(reading.objectStore('blocks').get(key)),
    answerOf(reading.objectStore('slots').get(key)),
  ]);
  const [slot, byteCount]: unknown[] =
    typeof place === 'object' && place !== null
      ? [Reflect.get(place, 'slot'), Reflect.get(place, 'bytes')]
      : [];
  let block = row;
  if (typeof slot === 'number' && typeof byteCount === 'number') {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('blocks');
    const pack = await (await folder.getFileHandle(`pack-${Math.floor(slot / 64)}`)).getFile();
    const at = (slot % 64) * 262_144;
    block = new Uint8Array(await pack.slice(at, at + byteCount).arrayBuffer());
  }
  if (!(block instanceof Uint8Array)) throw new Error(`Block ${hash} is not on this disk.`);
  const middle = block.length >> 1;
  block[middle] = (block[middle] ?? 0) ^ 1;
  // The app has its files to itself: a block of a file comes back damaged as a row.
  const writing = database.transaction(['blocks', 'slots'], 'readwrite');
  await Promise.all([
    answerOf(writing.objectStore('slots').delete(key)),
    answerOf(writing.objectStore('blocks').put(block, key)),
  ]);
  database.close();
}
