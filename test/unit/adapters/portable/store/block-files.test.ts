// Blocks in files: slots that are handed out once, files that come and go with them.

import { afterEach, describe, expect, it } from 'vitest';
import { BlockFiles } from '../../../../../src/adapters/portable/store/block-files.ts';
import { dirtyMemory } from '../../../../fixtures/dirty-memory.ts';
import { isPalmError } from '../../../../../src/core/model/errors.ts';
import { BLOCK_BYTES, USUAL_BLOCK_BYTES } from '../../../../../src/core/model/limits.ts';
import { TestPackFolder } from '../../../../fixtures/pack-folder.ts';

/** Slots of one pack, as block-files.ts has them. */
const PACK_SLOTS = 64;

const folders: TestPackFolder[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) folder.delete();
});

describe('block files', () => {
  it('return what was written, each block from its slot', async () => {
    const files = await BlockFiles.over(newFolder(), []);
    const slots = await Promise.all([1, 2, 3].map((seed) => put(files, bytesOf(seed))));
    expect(new Set(slots).size).toBe(3);
    for (const [at, slot] of slots.entries()) {
      expect(await files.read(slot, dirtyMemory.take(1000))).toEqual(bytesOf(at + 1));
    }
  });

  it('hand out the first free slot, and never one that is taken', async () => {
    const files = await BlockFiles.over(newFolder(), [0, 1, 3]);
    expect(await put(files, bytesOf(1))).toBe(2);
    expect(await put(files, bytesOf(1))).toBe(4);
    files.free(1);
    files.free(1);
    expect(await put(files, bytesOf(1))).toBe(1);
    expect(await put(files, bytesOf(1))).toBe(5);
  });

  it('keep blocks of the usual size without gaps, apart from larger ones', async () => {
    const folder = newFolder();
    const files = await BlockFiles.over(folder, []);
    const usual = Array.from({ length: PACK_SLOTS + 1 }, () => files.take(USUAL_BLOCK_BYTES));
    const large = [files.take(USUAL_BLOCK_BYTES + 1), files.take(BLOCK_BYTES)];
    expect(usual).toEqual(usual.map((_, at) => 2 ** 31 + at));
    expect(large).toEqual([0, 1]);
    const written = [...usual, ...large].map((slot, at) => {
      const byteCount = at < usual.length ? USUAL_BLOCK_BYTES : BLOCK_BYTES;
      return { slot, bytes: new Uint8Array(byteCount).fill(at + 1) };
    });
    for (const { slot, bytes } of written.toReversed()) await files.write(slot, bytes);
    for (const { slot, bytes } of written)
      expect(Buffer.compare(await files.read(slot, dirtyMemory.take(bytes.length)), bytes)).toBe(0);
    expect(folder.sizeOf(`pack-${2 ** 25}`)).toBe(PACK_SLOTS * USUAL_BLOCK_BYTES);
    expect((await folder.names()).toSorted()).toEqual(['pack-0', 'pack-33554432', 'pack-33554433']);
    files.free(2 ** 31 + 3);
    files.free(1);
    expect([files.take(10), files.take(BLOCK_BYTES)]).toEqual([2 ** 31 + 3, 1]);
  });

  it('return fewer bytes where a file is too short', async () => {
    const files = await BlockFiles.over(newFolder(), [0]);
    expect(await files.read(0, dirtyMemory.take(1000))).toHaveLength(0);
  });

  it('cut a file behind its last block, once for neighbours that are freed together', async () => {
    const folder = newFolder();
    const files = await BlockFiles.over(folder, []);
    const slots = await putMany(files, 8);
    for (const slot of [7, 3, 5, 6, 2]) files.free(slots[slot] ?? NaN);
    await expect.poll(() => folder.sizeOf('pack-0')).toBe(5 * BLOCK_BYTES);
    expect(folder.cutNames).toEqual(['pack-0']);
    expect(files.holeBytes()).toBe(2 * BLOCK_BYTES);
    for (const slot of [0, 1, 4]) expect(await files.read(slot, dirtyMemory.take(10))).toHaveLength(10);
  });

  it('never cut a slot that is taken while the cut waits for its file', async () => {
    const folder = newFolder();
    const files = await BlockFiles.over(folder, [0, 1, 2]);
    files.free(2);
    const slot = await put(files, bytesOf(9));
    expect(slot).toBe(2);
    await expect.poll(() => files.read(slot, dirtyMemory.take(1000))).toEqual(bytesOf(9));
    files.close();
    expect(folder.sizeOf('pack-0')).toBe(2 * BLOCK_BYTES + 1000);
  });

  it('use holes before a file grows, those of larger slots too, and on a disk that lets nothing grow', async () => {
    const folder = newFolder();
    const files = await BlockFiles.over(folder, []);
    const large = await putMany(files, 4);
    const usual = Array.from({ length: 4 }, () => files.take(USUAL_BLOCK_BYTES));
    for (const slot of usual) await files.write(slot, bytesOf(1));
    for (const slot of [large[1], usual[0], usual[2]]) files.free(slot ?? NaN);
    expect(files.holeBytes()).toBe(BLOCK_BYTES + 2 * USUAL_BLOCK_BYTES);
    folder.mayGrow = false;
    const again = Array.from({ length: 3 }, () => files.take(USUAL_BLOCK_BYTES));
    expect(again).toEqual([usual[0], usual[2], large[1]]);
    for (const slot of again) await files.write(slot, bytesOf(2));
    expect(files.holeBytes()).toBe(0);
    const next = files.take(USUAL_BLOCK_BYTES);
    await expect(files.write(next, bytesOf(3))).rejects.toMatchObject({ code: 'storage-full' });
    // The failed one leaves no hole behind.
    files.free(next);
    expect(files.holeBytes()).toBe(0);
  });

  it('cut at the start what a crash left behind the last block', async () => {
    const folder = newFolder();
    const before = await BlockFiles.over(folder, []);
    await putMany(before, 6);
    before.close();
    const files = await BlockFiles.over(folder, [0, 2]);
    expect(folder.sizeOf('pack-0')).toBe(3 * BLOCK_BYTES);
    expect(files.holeBytes()).toBe(BLOCK_BYTES);
  });

  it('remove a file with its last block, and reuse its number', async () => {
    const folder = newFolder();
    const files = await BlockFiles.over(folder, []);
    const slot = await put(files, bytesOf(1));
    files.free(slot);
    await expect.poll(() => folder.names()).toEqual([]);
    expect(folder.openNames.size).toBe(0);
    expect(await put(files, bytesOf(2))).toBe(slot);
    expect(await files.read(slot, dirtyMemory.take(1000))).toEqual(bytesOf(2));
  });

  it('write next to a file that is just being removed', async () => {
    const folder = newFolder();
    const files = await BlockFiles.over(folder, []);
    files.free(await put(files, bytesOf(1)));
    const slot = await put(files, bytesOf(2));
    expect(slot).toBe(PACK_SLOTS);
    await expect.poll(() => folder.names()).toEqual(['pack-1']);
    expect(await files.read(slot, dirtyMemory.take(1000))).toEqual(bytesOf(2));
  });

  it('remove at the start a file that a crash left without a block', async () => {
    const folder = newFolder();
    for (const name of ['pack-0', 'pack-1', 'pack-7', 'something']) (await folder.open(name)).close();
    await BlockFiles.over(folder, [PACK_SLOTS]);
    expect(await folder.names()).toEqual(['pack-1']);
  });

  it('keep a bounded number of files open, and flush files before they close them', async () => {
    const folder = newFolder();
    const packs = Array.from({ length: 80 }, (_, pack) => pack * PACK_SLOTS);
    const files = await BlockFiles.over(folder, packs);
    for (let pack = 0; pack < 80; pack++) await files.read(pack * PACK_SLOTS, dirtyMemory.take(10));
    expect(folder.openNames.size).toBe(64);
    const slot = await put(files, bytesOf(1));
    for (let pack = 1; pack < 80; pack++) await files.read(pack * PACK_SLOTS, dirtyMemory.take(10));
    expect(folder.openNames.has('pack-0')).toBe(false);
    expect(folder.flushedNames).toEqual(['pack-0']);
    expect(await files.read(slot, dirtyMemory.take(1000))).toEqual(bytesOf(1));
  });

  it('wait for the previous page to close its files', async () => {
    const folder = newFolder();
    folder.openNames.add('pack-0');
    const files = await BlockFiles.over(folder, []);
    const writing = put(files, bytesOf(1));
    folder.openNames.clear();
    expect(await files.read(await writing, dirtyMemory.take(1000))).toEqual(bytesOf(1));
  });

  it('report a full disk, and the slot can be freed', async () => {
    const folder = newFolder();
    const files = await BlockFiles.over(folder, []);
    folder.fits = () => false;
    const slot = files.take(BLOCK_BYTES);
    const writing = files.write(slot, bytesOf(1));
    await expect(writing).rejects.toSatisfy((error) => isPalmError(error, 'storage-full'));
    files.free(slot);
    folder.fits = () => true;
    await expect.poll(() => folder.names()).toEqual([]);
    expect(await put(files, bytesOf(1))).toBe(0);
  });
});

function newFolder(): TestPackFolder {
  const folder = new TestPackFolder();
  folders.push(folder);
  return folder;
}

function bytesOf(seed: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(1000).fill(seed);
}

async function putMany(files: BlockFiles, count: number): Promise<number[]> {
  const slots: number[] = [];
  for (let at = 0; at < count; at++) slots.push(await put(files, bytesOf(at)));
  return slots;
}

/** Writes to a slot of the largest blocks. */
async function put(files: BlockFiles, bytes: Uint8Array<ArrayBuffer>): Promise<number> {
  const slot = files.take(BLOCK_BYTES);
  await files.write(slot, bytes);
  return slot;
}
