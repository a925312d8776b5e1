// Rows that can be erased, and the file of their keys, as in FORMATS.md ("What can be erased").

import { describe, expect, it } from 'vitest';
import { KeySlots } from '../../../../../src/adapters/portable/store/key-slots.ts';
import type { PackFolder } from '../../../../../src/adapters/portable/store/pack-file.ts';
import { NO_SLOT, RowSeals, type RowName } from '../../../../../src/adapters/portable/store/sealed-rows.ts';
import { bytesOfHex } from '../../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../../src/core/model/errors.ts';
import { parseBlockOwner } from '../../../../../src/core/model/ids.ts';
import vectors from '../../../../vectors/sealed-rows.json' with { type: 'json' };

describe('the golden vectors', () => {
  it.each(vectors.rows)('open: $name', async ({ slot, name, sealed, plain }) => {
    const seals = await sealsOver(bytesOfHex(vectors.keys));
    expect(await seals.open(slot, nameOf(name), bytesOfHex(sealed))).toEqual({
      kind: 'open',
      bytes: bytesOfHex(plain),
    });
    const damaged = bytesOfHex(sealed).map((byte, at) => (at === 20 ? byte ^ 1 : byte));
    expect(await seals.open(slot, nameOf(name), damaged)).toEqual({ kind: 'damaged' });
    expect(await seals.open(slot, ['secret', 'another'], bytesOfHex(sealed))).toEqual({ kind: 'damaged' });
    expect(await seals.open(slot, nameOf(name), bytesOfHex(sealed).slice(0, 27))).toEqual({
      kind: 'damaged',
    });
  });

  it('distinguish a row that was let go from a damaged one', async () => {
    const { slot, name, sealed } = vectors.erased;
    const seals = await sealsOver(bytesOfHex(vectors.keys));
    expect(seals.isErased(slot)).toBe(true);
    expect(await seals.open(slot, nameOf(name), bytesOfHex(sealed))).toEqual({ kind: 'erased' });
  });
});

describe('the file of keys', () => {
  it('has a key in each taken slot and zeros in an erased one, and grows by whole pages of the disk', async () => {
    const file = new MemoryFile();
    const slots = await KeySlots.over(file, []);
    expect(slots.take(3)).toEqual([0, 1, 2]);
    expect(file.bytes).toEqual(new Uint8Array(4096));
    slots.flush();
    expect(file.bytes).toHaveLength(4096);
    const [first, second, third] = [0, 1, 2].map((slot) => keyAt(file, slot));
    expect(new Set([first, second, third, '00'.repeat(32)]).size).toBe(4);
    slots.erase([1]);
    slots.flush();
    expect([0, 1, 2].map((slot) => keyAt(file, slot))).toEqual([first, '00'.repeat(32), third]);
    // Its row is not deleted yet.
    expect(slots.take(1)).toEqual([3]);
    slots.free([1]);
    slots.take(124);
    // The keys that were made together are taken, and more are made, in free slots first.
    expect(slots.take(2)).toEqual([1, 128]);
    slots.flush();
    expect(keyAt(file, 1)).not.toBe(second);
  });

  it('makes keys ahead of use, many in one call', async () => {
    const file = new MemoryFile();
    const slots = await KeySlots.over(file, []);
    const taken = slots.take(1);
    slots.flush();
    const { writeCount } = file;
    for (let count = 1; count < 128; count++) {
      taken.push(...slots.take(1));
      slots.flush();
    }
    expect(file.writeCount).toBe(writeCount);
    expect(new Set(taken.map((slot) => keyAt(file, slot))).size).toBe(128);
    expect(taken.map((slot) => keyAt(file, slot))).not.toContain('00'.repeat(32));
  });

  it('keeps the keys that rows name when it is opened, erases the rest, and writes neighbours in one call', async () => {
    const file = new MemoryFile();
    const before = await KeySlots.over(file, []);
    before.take(600);
    before.flush();
    expect(file.writeCount).toBe(2); // the file was lengthened first
    const kept = [3, 300, 599];
    const keys = kept.map((slot) => keyAt(file, slot));
    const after = await KeySlots.over(file, kept);
    expect(kept.map((slot) => keyAt(file, slot))).toEqual(keys);
    for (let slot = 0; slot < 600; slot++)
      expect(after.keyIn(slot) !== undefined, `slot ${slot}`).toBe(kept.includes(slot));
    expect(file.bytes.filter((byte) => byte !== 0).length).toBeLessThanOrEqual(3 * 32);
    expect(file.writeCount).toBe(3);
    after.erase([3, 599]);
    after.flush();
    expect(file.writeCount).toBe(5);
  });

  it('ignores half a key at its end', async () => {
    const file = new MemoryFile(new Uint8Array(40).fill(9));
    const slots = await KeySlots.over(file, [0]);
    expect(slots.keyIn(0)).toEqual(new Uint8Array(32).fill(9));
    expect(slots.keyIn(1)).toBeUndefined();
    expect(file.bytes.slice(32, 40)).toEqual(new Uint8Array(8));
  });

  it('reports a full disk, and works again when there is room', async () => {
    const file = new MemoryFile();
    const slots = await KeySlots.over(file, []);
    slots.take(1);
    slots.flush();
    file.isFull = true;
    slots.take(1);
    slots.erase([0]);
    expect(() => slots.flush()).toThrow(expect.objectContaining({ code: 'storage-full' }));
    file.isFull = false;
    slots.flush();
    expect(keyAt(file, 0)).toBe('00'.repeat(32));
    expect(keyAt(file, 1)).not.toBe('00'.repeat(32));
  });
});

describe('a disk on which no file can grow', () => {
  it('refuses new slots, and still erases existing ones', async () => {
    const file = new MemoryFile();
    const slots = await KeySlots.over(file, []);
    const taken = slots.take(128);
    slots.flush();
    file.mostBytes = file.bytes.length;
    expect(() => {
      for (;;) {
        taken.push(...slots.take(20));
        slots.flush();
      }
    }).toThrow(expect.objectContaining({ code: 'storage-full' }));
    slots.erase(taken);
    slots.flush();
    expect(file.bytes.every((byte) => byte === 0)).toBe(true);
    slots.free(taken);
    expect(slots.take(20)).toHaveLength(20);
    slots.flush();
  });
});

describe('without a file', () => {
  it('rows stay unsealed, and sealed ones wait for the file', async () => {
    const seals = new RowSeals(undefined);
    const [slot = 0] = seals.take(1);
    expect(slot).toBe(NO_SLOT);
    const row = await seals.seal(slot, ['secret', 'a'], new Uint8Array([1, 2]));
    expect(row).toEqual(new Uint8Array([1, 2]));
    expect(await seals.open(slot, ['secret', 'a'], row)).toEqual({ kind: 'open', bytes: row });
    expect(seals.isErased(0)).toBe(false);
    const opening = seals.open(0, ['secret', 'a'], row);
    await expect(opening).rejects.toSatisfy((error) => isPalmError(error, 'storage-failed'));
  });
});

async function sealsOver(bytes: Uint8Array<ArrayBuffer>): Promise<RowSeals> {
  return new RowSeals(await KeySlots.over(new MemoryFile(bytes), [0, 2, 3]));
}

function nameOf(name: readonly (string | number)[]): RowName {
  const [kind, first, second] = name;
  if (kind === 'kept' && typeof first === 'string' && typeof second === 'number')
    return [kind, parseBlockOwner(first), second];
  if (kind !== 'index' && kind !== 'journal' && kind !== 'secret') throw new Error('No such row.');
  if (typeof first !== 'string') throw new Error('A row has a name.');
  return kind === 'index' ? [kind, first] : kind === 'journal' ? [kind, first] : [kind, first];
}

function keyAt(file: MemoryFile, slot: number): string {
  return Buffer.from(file.bytes.slice(slot * 32, (slot + 1) * 32)).toString('hex');
}

/** A folder with one file that counts its writes. */
class MemoryFile implements PackFolder {
  bytes: Uint8Array;
  writeCount = 0;
  isFull = false;
  mostBytes = Infinity;

  constructor(bytes = new Uint8Array()) {
    this.bytes = bytes;
  }

  names = (): Promise<string[]> => Promise.resolve(['keys']);
  remove = (): Promise<void> => Promise.resolve();

  open: PackFolder['open'] = () =>
    Promise.resolve({
      read: (into, { at }) => {
        const part = this.bytes.subarray(at, at + into.length);
        into.set(part);
        return part.length;
      },
      write: (bytes, { at }) => {
        if (this.isFull || at + bytes.length > Math.max(this.bytes.length, this.mostBytes)) return 0;
        this.writeCount += 1;
        const larger = new Uint8Array(Math.max(this.bytes.length, at + bytes.length));
        larger.set(this.bytes);
        larger.set(bytes, at);
        this.bytes = larger;
        return bytes.length;
      },
      getSize: () => this.bytes.length,
      truncate: (byteCount) => {
        this.bytes = this.bytes.slice(0, byteCount);
      },
      flush: () => undefined,
      close: () => undefined,
    });
}
