// Files that are written to while they are stored: whatever the browser notices, no mixture of two states is
// stored, and nothing of it stays.

import { expect } from 'vitest';
import { expectOnlyNeeded, settledOutboxes } from './checks.ts';
import { MemoryFile } from './memory-file.ts';
import {
  expectReads,
  failureOf,
  interrupt,
  NAME,
  OPTIONS,
  SIZE,
  three,
  unfinishedOf,
} from './interruption.ts';
import { first, scenario } from './scenario.ts';

scenario(
  'a source that changes or shrinks while it streams leaves nothing behind, here or on the takers, and says so',
  [870, 871, 872, 873],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const storer = first(devices);
    const before = world.random.bytes(10_000);
    const { fileId } = await world.settled('another is stored', storer.put(before, { name: 'other' }));
    await world.until('it is placed', () => settledOutboxes(devices));
    await world.pass(1_000);
    const usedBytes = devices.map((device) => device.store.usedBytes());

    // Longer than what is read of a file in one piece.
    const source = new ChangingFile(
      world.random.bytes(3 * SIZE),
      NAME,
      world.seed < 872 ? 'changes' : 'shrinks',
    );
    const sealedBefore = storer.codec.sealedCount;
    const failing = failureOf(world, storer.pool.store(source, { ...OPTIONS, durability: 'quorum' }));
    // The last one shrinks while it is hashed.
    if (world.seed < 873) await world.until('it seals', () => storer.codec.sealedCount > sealedBefore);
    source.happen();
    const failure = await failing;
    expect(failure).toMatchObject({ code: 'source-changed' });
    const reason: unknown = expect.stringMatching(/^while-(read|sealed)$/);
    expect(failure).toMatchObject({ failure: { code: 'source-changed', reason } });
    expect(storer.pool.status()).toMatchObject({ unfinished: [], transfers: [], files: [{ fileId }] });
    await world.pass(2_000);
    expect(devices.map((device) => device.store.usedBytes())).toEqual(usedBytes);
    for (const device of devices) expectOnlyNeeded(device);

    const bytes = await source.now();
    const stored = await world.settled('it is stored as it is now', storer.put(bytes, OPTIONS));
    for (const [id, content] of [[stored.fileId, bytes] as const, [fileId, before] as const])
      expect(Buffer.compare(await world.settled('read', storer.read(id)), content)).toBe(0);
  },
);

scenario(
  'a file that is overwritten while it is stored is noticed where the browser does not notice it',
  [875, 876, 877],
  async ({ world, pool }) => {
    const devices = await pool(3);
    const storer = first(devices);
    storer.sources.noticeChanges = false;
    const bytes = world.random.bytes(3 * SIZE);
    const source = new ChangingFile(bytes.slice(), NAME, 'is overwritten');
    // At 876 it continues a store, at 877 the pool has a file of this size: each is read before it is sealed.
    const before =
      world.seed === 876
        ? await interrupt(world, storer, bytes.slice(), { durability: 'quorum' })
        : undefined;
    if (world.seed === 877) {
      const other = world.random.bytes(bytes.length);
      await world.settled('another is stored', storer.put(other, { ...OPTIONS, name: 'other' }));
    }
    const known = storer.pool.status().files.length;
    const { sealedCount } = storer.codec;
    const storing =
      before === undefined
        ? storer.pool.store(source, { ...OPTIONS, durability: 'quorum' })
        : storer.resume(before.id, source);
    const failing = failureOf(world, storing);
    await world.until('it seals', () => storer.codec.sealedCount > sealedCount);
    source.happen();
    expect(await failing).toMatchObject({ code: 'source-changed' });
    expect(storer.pool.status()).toMatchObject({ unfinished: [], transfers: [] });
    expect(storer.pool.status().files).toHaveLength(known);

    const now = await source.now();
    const stored = await world.settled('it is stored as it is now', storer.put(now, OPTIONS));
    expect(Buffer.compare(await world.settled('read', storer.read(stored.fileId)), now)).toBe(0);
  },
);

scenario(
  'a file that nobody writes to is stored where the browser notices no changes',
  [878],
  async ({ world, pool }) => {
    const [storer, , reader] = await pool(3).then(three);
    storer.sources.noticeChanges = false;
    const bytes = world.random.bytes(SIZE);
    await world.settled('it is stored', storer.pool.store(new MemoryFile(bytes, NAME), OPTIONS));
    await expectReads(world, reader, bytes);
  },
);

scenario(
  'a file that cannot be read when it is chosen again costs nothing',
  [880],
  async ({ world, pool }) => {
    const storer = first(await pool(2));
    const bytes = world.random.bytes(SIZE);
    const interrupted = await interrupt(world, storer, bytes);
    const unreadable = new ChangingFile(bytes, NAME, 'shrinks');
    unreadable.happen();
    const failure = await failureOf(world, storer.pool.resumeStore(interrupted.id, unreadable));
    expect(failure).toMatchObject({ failure: { code: 'source-changed', reason: 'unread', name: NAME } });
    expect(unfinishedOf(storer)).toEqual(interrupted);
  },
);

const SHRUNK_BYTES = 600_000;

/** 'is overwritten': in place, from its first byte to its last, and reads go on. */
type ChangedHow = 'changes' | 'shrinks' | 'is overwritten';

/** A file that is written to while it is stored. */
class ChangingFile extends MemoryFile {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  readonly #how: ChangedHow;
  #happened = false;

  constructor(bytes: Uint8Array<ArrayBuffer>, name: string, how: ChangedHow) {
    super(bytes, name);
    this.#bytes = bytes;
    this.#how = how;
  }

  happen(): void {
    this.#happened = true;
    if (this.#how === 'is overwritten') this.#bytes[0] = (this.#bytes[0] ?? 0) ^ 1;
    this.#bytes[this.#bytes.length - 1] = (this.#bytes.at(-1) ?? 0) ^ 1;
  }

  override bytesNow(start: number, end: number): Uint8Array<ArrayBuffer> {
    const hasShrunk = this.#happened && this.#how === 'shrinks';
    return this.#bytes.slice(start, hasShrunk ? Math.min(end, SHRUNK_BYTES) : end);
  }

  /** Like Chromium, which checks whether a file changed when it begins to read it. */
  override slice(start?: number, end?: number): Blob {
    if (this.#happened && this.#how === 'changes') throw new DOMException('It changed.', 'NotReadableError');
    return super.slice(start, end);
  }

  /** What a reader that opens it again gets. */
  async now(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#bytes.slice(0, this.#how === 'shrinks' ? SHRUNK_BYTES : undefined);
  }
}
