// Inspects and damages a device's storage, bypassing the app. Blocks are rows of IndexedDB's `blocks`, or lie
// in a file of the origin's file system, at the place given by a row of `fragments` or `kept` (FORMATS.md,
// "On disk").

import type { Page } from '@playwright/test';
import type { Device } from './device.ts';

/** One fragment on a device's disk: its blocks' hashes (hex) in the order of the file's segments. */
export interface FragmentOnDisk {
  /** i in 0..n-1. */
  readonly fragment: number;
  readonly blocks: readonly string[];
}

interface Dump {
  /** Hashes (hex) of the blocks that are rows, or that a row places in a file. */
  readonly blockKeys: string[];
  readonly fragments: FragmentOnDisk[];
  /** Files in which no row places a block. */
  readonly strayFiles: string[];
}

/**
 * Hashes (hex, sorted) of the stored blocks, and of the blocks of the stored fragments; and files without a
 * block that a fragment or an unfinished store counts.
 */
export async function storedBlocks(
  page: Page,
): Promise<{ present: string[]; counted: string[]; strayFiles: string[] }> {
  const dump = await page.evaluate(dumpStorage);
  const counted = new Set(dump.fragments.flatMap(({ blocks }) => blocks));
  const { blockKeys, strayFiles } = dump;
  return {
    present: [...new Set(blockKeys)].toSorted(compare),
    counted: [...counted].toSorted(compare),
    strayFiles,
  };
}

export async function storedFragments(page: Page): Promise<FragmentOnDisk[]> {
  return (await page.evaluate(dumpStorage)).fragments;
}

/** Flips one bit in the middle of a block, like a failing disk, while the device's app is closed. */
export async function damageBlock(device: Device, hash: string): Promise<void> {
  await device.closeTab();
  const page = await device.context.newPage();
  // An image page names no icon, so the browser requests /favicon.ico.
  await page.route('**/favicon.ico', (route) => route.fulfill({ status: 204 }));
  await page.goto(new URL('icon.svg', device.appUrl).href);
  await page.evaluate(flipBit, hash);
  await page.close();
  await device.open();
}

function compare(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Runs in the page, as source text. */
async function dumpStorage(): Promise<Dump> {
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
  const database = await answerOf(indexedDB.open('palm-device'));
  const transaction = database.transaction(['blocks', 'fragments', 'kept']);
  const [rowKeys, fragments, kept] = await Promise.all([
    answerOf(transaction.objectStore('blocks').getAllKeys()),
    answerOf<unknown[]>(transaction.objectStore('fragments').getAll()),
    answerOf<unknown[]>(transaction.objectStore('kept').getAll()),
  ]);
  database.close();
  const noSlot = 2 ** 32 - 1;
  const blockKeys = rowKeys.map(hexOf);
  const files = new Set<string>();
  for (const row of [...fragments, ...kept]) {
    const [hashes, places]: unknown[] =
      typeof row === 'object' && row !== null ? [Reflect.get(row, 'hashes'), Reflect.get(row, 'places')] : [];
    if (!(hashes instanceof Uint8Array) || !(places instanceof Uint32Array))
      throw new Error('A row names no blocks.');
    for (let at = 0; at < places.length / 2; at++) {
      const slot = places[2 * at] ?? noSlot;
      if (slot === noSlot) continue;
      blockKeys.push(hexOf(hashes.slice(at * 32, (at + 1) * 32)));
      files.add(`pack-${Math.floor(slot / 64)}`);
    }
  }
  const held = fragments.map((row) => {
    const [fragment, hashes]: unknown[] = [
      Reflect.get(Object(row), 'fragment'),
      Reflect.get(Object(row), 'hashes'),
    ];
    if (typeof fragment !== 'number') throw new Error('A fragment has no number.');
    const hex = hexOf(hashes);
    return { fragment, blocks: Array.from(hex.matchAll(/.{64}/g), ([hash]) => hash) };
  });
  const strayFiles: string[] = [];
  // Some engines have no files.
  if (!('getDirectory' in navigator.storage)) return { blockKeys, fragments: held, strayFiles };
  const folder = await (
    await navigator.storage.getDirectory()
  ).getDirectoryHandle('blocks', { create: true });
  for await (const name of folder.keys()) if (!files.has(name)) strayFiles.push(name);
  return { blockKeys, fragments: held, strayFiles };
}

/** Runs, as source text, in a page of the app's origin that does not run the app. */
async function flipBit(hash: string): Promise<void> {
  const answerOf = <Value>(request: IDBRequest<Value>): Promise<Value> =>
    new Promise((resolve, reject) => {
      request.addEventListener('success', () => resolve(request.result));
      request.addEventListener('error', () => reject(request.error ?? new Error('The request failed.')));
    });
  const key = new Uint8Array(Array.from(hash.matchAll(/../g), ([byte]) => Number.parseInt(byte, 16)));
  const flipped = (bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> =>
    bytes.map((byte, at) => (at === bytes.length >> 1 ? byte ^ 1 : byte));
  const database = await answerOf(indexedDB.open('palm-device'));
  const reading = database.transaction(['blocks', 'fragments']);
  const [row, fragments] = await Promise.all([
    answerOf<unknown>(reading.objectStore('blocks').get(key)),
    answerOf<unknown[]>(reading.objectStore('fragments').getAll()),
  ]);
  if (row instanceof Uint8Array) {
    const blocks = database.transaction('blocks', 'readwrite').objectStore('blocks');
    await answerOf(blocks.put(flipped(new Uint8Array(row)), key));
    database.close();
    return;
  }
  database.close();
  for (const fragment of fragments) {
    const [hashes, places]: unknown[] =
      typeof fragment === 'object' && fragment !== null
        ? [Reflect.get(fragment, 'hashes'), Reflect.get(fragment, 'places')]
        : [];
    if (!(hashes instanceof Uint8Array) || !(places instanceof Uint32Array)) continue;
    const at = Array.from(places, (_, index) => index).findIndex(
      (index) =>
        index < places.length / 2 && key.every((byte, offset) => byte === hashes[index * 32 + offset]),
    );
    const [slot, byteCount] = [places[2 * at], places[2 * at + 1]];
    if (at === -1 || slot === undefined || byteCount === undefined) continue;
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle('blocks');
    const file = await folder.getFileHandle(`pack-${Math.floor(slot / 64)}`);
    const position = (slot % 64) * (slot < 2 ** 31 ? 262_144 : 241_664);
    const block = await (await file.getFile()).slice(position, position + byteCount).arrayBuffer();
    const writable = await file.createWritable({ keepExistingData: true });
    await writable.write({ type: 'write', position, data: flipped(new Uint8Array(block)) });
    await writable.close();
    return;
  }
  throw new Error(`Block ${hash} is not on this disk.`);
}
