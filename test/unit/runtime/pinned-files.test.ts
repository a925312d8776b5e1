// The pinned files of a device, as they are kept: what could not be written is not pinned, now or later.

import { expect, it } from 'vitest';
import { fileIdOf, type FileId } from '../../../src/core/model/ids.ts';
import { PinnedFiles } from '../../../src/runtime/pinned-files.ts';

function fileAt(index: number): FileId {
  return fileIdOf(Uint8Array.of(index));
}

it('pins nothing that could not be written', async () => {
  const disk = new Map<string, unknown>();
  let isFull = true;
  const told: (readonly FileId[])[] = [];
  const records = {
    getMeta: async (name: string) => disk.get(name),
    putMeta: async (name: string, value: unknown) => {
      if (isFull) throw new Error('full');
      disk.set(name, value);
    },
  };
  const pinned = new PinnedFiles(records, (files) => told.push(files));
  const [a, b] = [fileAt(1), fileAt(2)];
  await expect(pinned.set(a, true, () => true)).rejects.toThrow('full');
  isFull = false;
  // Both at once: neither undoes the other.
  await Promise.all([pinned.set(b, true, () => true), pinned.set(fileAt(3), true, () => true)]);
  expect(told.at(-1)).toEqual([b, fileAt(3)]);
  await pinned.set(fileAt(3), false, () => true);
  expect([...disk.values()]).toEqual([[b]]);
});
