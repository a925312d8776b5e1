// Reading on virtual time, on a device that holds nothing of the file: any k of n will do, whatever happens
// to the holders. Everything under way is bounded and ends with the read.

import { expect } from 'vitest';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { concatBytes } from '../../src/core/model/bytes.ts';
import type { BlockHash } from '../../src/core/model/ids.ts';
import { decodeMessage, type Message } from '../../src/core/wire/messages.ts';
import { wholeFragments } from './checks.ts';
import type { SimDevice } from './device.ts';
import { K, N, placedFile, SEGMENT_BYTES, shuffled } from './placed-file.ts';
import { first, scenario, type Simulation } from './scenario.ts';

/** What a needed device that says nothing, or gives nothing, may cost a read, ms. */
const MOST_SILENT_MS = 5_000;
/** A request to one holder is hedged after this, ms, on a network as calm as here (src/core/reading). */
const HEDGE_MS = 1_500;

scenario(
  'any k of the n fragments are enough, even if the other holders die as the read begins',
  [301, 302, 303],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 3 * SEGMENT_BYTES + 123);
    const lost = shuffled(simulation, holders).slice(0, N - K);
    for (const device of lost) device.kill();
    const read = await world.settled('read', reader.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a corrupt block and a missing one are refused, reported, fetched elsewhere, and no longer counted',
  [311, 312, 313],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 3 * SEGMENT_BYTES);
    const [corrupt, missing] = [first(holders), first(holders, 1)];
    const { store: one } = corrupt;
    const { store: other } = missing;
    expect(damage(corrupt, 0, (hash) => one.corruptBlock(hash))).toBe(true);
    expect(damage(missing, 2, (hash) => other.deleteBlock(hash))).toBe(true);
    // A sound one is away, so that the damaged ones must be asked for, block by block.
    first(holders, 2).kill();
    await world.pass(10_000);
    const read = await world.settled('read', reader.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
    // With only the damaged ones it cannot be read; asking finds all damage.
    first(holders, 3).kill();
    await world.pass(10_000);
    const refused = world.settled('refused', reader.read(fileId), 60_000);
    await expect(refused).rejects.toMatchObject({ code: 'not-enough-fragments' });
    await world.until('neither counts', () => reader.fileStatus(fileId)?.reach === 0, 60_000);
    for (const device of [corrupt, missing])
      expect(device.notices).toContainEqual(expect.objectContaining({ kind: 'damaged-here', what: 'block' }));
    for (const device of [corrupt, missing]) {
      device.kill();
      await device.reopen();
    }
    await world.pass(10_000);
    expect(reader.fileStatus(fileId)?.reach).toBe(0);
  },
);

scenario(
  'a fragment with a damaged index is reported and no longer counts once a read needs it, even after a restart',
  [316, 317],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 2 * SEGMENT_BYTES);
    const damaged = first(holders);
    for (const { fragment } of damaged.store.contents().fragments)
      expect(damaged.store.corruptIndex(fragment.fragmentId)).toBe(true);
    expect(reader.fileStatus(fileId)?.reach).toBe(N);
    // Others are away, so that this one must be asked.
    for (const away of holders.slice(K)) away.kill();
    await world.pass(10_000);
    const refused = world.settled('refused', reader.read(fileId), 60_000);
    await expect(refused).rejects.toMatchObject({ code: 'not-enough-fragments' });
    await world.until('it no longer counts', () => reader.fileStatus(fileId)?.reach === K - 1, 60_000);
    expect(damaged.notices).toContainEqual(expect.objectContaining({ kind: 'damaged-here', what: 'index' }));
    damaged.kill();
    await damaged.reopen();
    await world.pass(10_000);
    expect(reader.fileStatus(fileId)?.reach).toBe(K - 1);
    for (const away of holders.slice(K)) await away.reopen();
    await world.until('the others are back', () => reader.fileStatus(fileId)?.reach === N - 1, 60_000);
    const read = await world.settled('read', reader.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a holder that sends a byte too few or too many is refused and reported, and its blocks are fetched elsewhere',
  [1310, 1311],
  async (simulation) => {
    const { world, network } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 5 * SEGMENT_BYTES + 77);
    // A sound one is away: the other three must do, with every block that this one sends wrong.
    first(holders, 3).kill();
    await world.pass(10_000);
    // Whichever is asked first.
    let asked: SimDevice | undefined;
    let wrongCount = 0;
    network.distort = (from, to, message) => {
      if (to !== reader.id || decodeMessage(message).message.kind !== 'block') return message;
      asked ??= holders.find(({ id }) => id === from);
      if (from !== asked?.id) return message;
      wrongCount += 1;
      return world.seed % 2 === 0 ? message.slice(0, -1) : concatBytes(message, Uint8Array.of(0));
    };
    const read = await world.settled('read', reader.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
    expect(wrongCount).toBeGreaterThan(0);
    const faulty = first(holders.filter((holder) => holder === asked));
    expect(reader.notices).toContainEqual({
      kind: 'damaged-block',
      from: { id: faulty.id, name: faulty.name, isAmbiguous: false },
    });
    expect(reader.pool.status().transfers).toEqual([]);
    for (const holder of holders) expect(wholeFragments(holder, fileId).size).toBe(1);

    // Its disk is sound, and it counts: when it is needed and answers well, it is used.
    const sound = holders.filter((holder) => holder !== faulty && holder !== first(holders, 3));
    first(sound).kill();
    await world.pass(10_000);
    const refused = world.settled('refused', reader.read(fileId), 60_000);
    await expect(refused).rejects.toMatchObject({ code: 'not-enough-fragments' });
    network.distort = (_from, _to, message) => message;
    const again = await world.settled('read again', reader.read(fileId), 60_000);
    expect(Buffer.compare(again, bytes)).toBe(0);
  },
);

scenario(
  'dying codec workers cost a read only time; if every worker dies it fails truthfully, and the next read works',
  [316, 317, 318],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 5 * SEGMENT_BYTES);
    for (const device of holders.slice(K)) device.kill();
    await world.pass(10_000);
    const stream = reader.pool.read(fileId).getReader();
    const pieces: Uint8Array[] = [];
    const { value } = await world.settled('the first segment', stream.read());
    if (value !== undefined) pieces.push(value);
    const everyWorkerDies = world.seed === 318;
    if (everyWorkerDies) reader.codec.dyingReadCount = Infinity;
    else reader.codec.dyingReadCount = world.seed === 316 ? 1 : 2;
    const rest = (async () => {
      for (let next = await stream.read(); !next.done; next = await stream.read()) pieces.push(next.value);
      return Buffer.concat(pieces);
    })().catch((error: unknown) => error);
    const outcome = await world.settled('it ends', rest, 60_000);
    if (everyWorkerDies) {
      expect(outcome).toMatchObject({ code: 'worker-failed' });
      // No other device is blamed when no worker ever lives.
      const refused = world.settled('it fails', reader.read(fileId), 60_000);
      await expect(refused).rejects.toMatchObject({ code: 'worker-failed' });
      expect(reader.notices.filter(({ kind }) => kind.startsWith('damaged'))).toEqual([]);
    } else {
      expect(outcome).toBeInstanceOf(Uint8Array);
      if (outcome instanceof Uint8Array) expect(Buffer.compare(outcome, bytes)).toBe(0);
      expect(reader.codec.dyingReadCount).toBe(0);
    }
    reader.codec.dyingReadCount = 0;
    expect(reader.pool.status().transfers).toEqual([]);
    expect(reader.fileStatus(fileId)?.reach).toBe(K);
    const read = await world.settled('read again', reader.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a fragment worker that dies in mid-read, on a needed holder or on the reader itself, fails no read',
  [319, 320],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 5 * SEGMENT_BYTES);
    for (const device of holders.slice(K)) device.kill();
    await world.pass(10_000);
    const [dying, other] = [first(holders), first(holders, 1)];
    const at = world.seed === 319 ? reader : dying;
    // At most as many requests as it may have open.
    dying.diskFaults.dyingCount = 16;
    const read = await world.settled('read', at.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
    expect(dying.diskFaults.dyingCount).toBe(0);
    expect(other.fileStatus(fileId)?.reach).toBe(K);
    for (const holder of holders) expect(wholeFragments(holder, fileId).size).toBe(1);
  },
);

scenario(
  'a fragment worker that never recovers makes a read of what only it has fail truthfully',
  [326],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders } = await placedFile(simulation, 3 * SEGMENT_BYTES);
    for (const device of holders.slice(K)) device.kill();
    await world.pass(10_000);
    const dying = first(holders);
    dying.diskFaults.dyingCount = Infinity;
    const refused = world.settled('refused', dying.read(fileId), 60_000);
    await expect(refused).rejects.toMatchObject({ code: 'storage-failed' });
    dying.diskFaults.dyingCount = 0;
    const read = await world.settled('read again', dying.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario('a holder that freezes in mid-read costs seconds, not the read', [321, 322], async (simulation) => {
  const { world } = simulation;
  const { bytes, fileId, holders, reader } = await placedFile(simulation, 12 * SEGMENT_BYTES);
  const frozen = first(holders, world.random.below(holders.length));
  const began = world.nowMs;
  const reading = reader.read(fileId);
  await world.pass(world.random.below(60));
  frozen.freeze();
  const read = await world.settled('read', reading, 15_000);
  expect(Buffer.compare(read, bytes)).toBe(0);
  expect(world.nowMs - began).toBeLessThan(10_000);
});

scenario(
  'a holder whose link stays open and that never answers costs each read, also later ones, one delay',
  [323, 324],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 15 * SEGMENT_BYTES);
    const timed = async (reading: Promise<Uint8Array>): Promise<number> => {
      const beganMs = world.nowMs;
      const read = await world.settled('read', reading, 60_000);
      expect(Buffer.compare(read, bytes)).toBe(0);
      return world.nowMs - beganMs;
    };
    // The first read learns how fast its holders are, and takes longer.
    await timed(reader.read(fileId));
    const usualMs = await timed(reader.read(fileId));
    // Fragments 0 and 1 are asked for first.
    const wanted = world.random.below(K);
    const stalled = first(holders.filter((holder) => wholeFragments(holder, fileId).has(wanted)));
    const reading = reader.read(fileId);
    await world.pass(world.random.below(Math.floor(usualMs / 2)));
    stalled.hang();
    const mostMs = usualMs + HEDGE_MS + 200;
    const midReadMs = await timed(reading);
    expect(midReadMs).toBeGreaterThan(HEDGE_MS);
    expect(midReadMs).toBeLessThan(mostMs);
    for (const pauseMs of [0, 1_000, 60_000]) {
      await world.pass(pauseMs);
      expect(await timed(reader.read(fileId)), `after ${pauseMs} ms`).toBeLessThan(mostMs);
    }
    expect(reader.pool.status().transfers).toEqual([]);

    // Where it is needed, a read fails truthfully, and works when it answers again.
    for (const device of holders.filter((holder) => holder !== stalled).slice(K - 1)) device.kill();
    await world.pass(10_000);
    const beganMs = world.nowMs;
    const refused = world.settled('refused', reader.read(fileId), 60_000);
    await expect(refused).rejects.toMatchObject({ failure: { silent: [stalled.name], reach: K - 1 } });
    expect(world.nowMs - beganMs).toBeLessThanOrEqual(MOST_SILENT_MS);
    stalled.thaw();
    await timed(reader.read(fileId));
  },
);

scenario(
  'holders that leave in mid-read and come back in time are used again',
  [331, 332, 333],
  async (simulation) => {
    const { world, network } = simulation;
    network.faults = { ...network.faults, bytesPerMs: 2_000 };
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 8 * SEGMENT_BYTES);
    const reading = reader.read(fileId);
    await world.pass(200 + world.random.below(500));
    // One remains: not enough until another returns.
    for (const device of holders.slice(1)) network.breakLink(device.id, reader.id);
    const read = await world.settled('read', reading, 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'too few holders make a read fail truthfully, and the next read works when they are back',
  [341, 342],
  async (simulation) => {
    const { world } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 2 * SEGMENT_BYTES);
    const lost = holders.slice(0, N - K + 1);
    for (const device of lost) device.kill();
    const refused = world.settled('refused', reader.read(fileId), 60_000);
    await expect(refused).rejects.toMatchObject({ code: 'not-enough-fragments' });
    expect(reader.fileStatus(fileId)).toMatchObject({ reach: K - 1, margin: -1, safe: false });
    await first(lost).reopen();
    await world.until('enough', () => reader.fileStatus(fileId)?.reach === K);
    const read = await world.settled('read again', reader.read(fileId), 60_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a range is read exactly, and only from the blocks of its segments',
  [351, 352],
  async (simulation) => {
    const { world, network } = simulation;
    const { bytes, fileId, reader } = await placedFile(simulation, 10 * SEGMENT_BYTES + 5);
    for (let index = 0; index < 12; index++) {
      const start = edgeOrAny(simulation, bytes.length);
      const end = start + Math.min(bytes.length - start, edgeOrAny(simulation, 2 * SEGMENT_BYTES));
      const before = network.deliveredBytes;
      const read = await world.settled(`read ${start}..${end}`, reader.read(fileId, { start, end }));
      expect(Buffer.compare(read, bytes.subarray(start, end)), `${start}..${end}`).toBe(0);
      const segmentCount =
        start === end ? 0 : Math.ceil(end / SEGMENT_BYTES) - Math.floor(start / SEGMENT_BYTES);
      const mostBytes = segmentCount * (SEGMENT_BYTES + 16) + 20_000;
      expect(network.deliveredBytes - before, `${start}..${end}`).toBeLessThan(mostBytes);
    }
  },
);

scenario(
  'a reader that does not take what it asked for holds a window of blocks, as many whatever k is',
  [361],
  async (simulation) => {
    const { world, network } = simulation;
    const { fileId, reader } = await placedFile(simulation, 20 * SEGMENT_BYTES);
    const before = network.deliveredBytes;
    const stream = reader.pool.read(fileId).getReader();
    await world.settled('the first segment', stream.read());
    await world.pass(60_000);
    const windowBlocks = 32;
    const asked = (windowBlocks / K + 1) * (SEGMENT_BYTES + 16);
    expect(network.deliveredBytes - before).toBeGreaterThan(asked);
    expect(network.deliveredBytes - before).toBeLessThan(asked + 100_000);
    await world.settled('cancelled', stream.cancel());
    expect(reader.pool.status().transfers).toEqual([]);
  },
);

scenario(
  'an abort ends the read immediately, and leaves no request open',
  [371, 372, 373, 374],
  async (simulation) => {
    const { world, network } = simulation;
    network.faults = { ...network.faults, bytesPerMs: 2_000 };
    const { fileId, reader } = await placedFile(simulation, 12 * SEGMENT_BYTES);
    const abort = new AbortController();
    const stream = reader.pool.read(fileId, { signal: abort.signal }).getReader();
    const takes = 1 + world.random.below(3);
    for (let index = 0; index < takes; index++) await world.settled('a segment', stream.read());
    // At the abort half of the readers wait for a piece, and half are busy elsewhere.
    const waiting = world.random.below(2) === 0 ? stream.read() : undefined;
    waiting?.catch(() => undefined);
    await world.pass(world.random.below(100));
    abort.abort();
    await world.pass(100);
    expect(reader.pool.status().transfers).toEqual([]);
    const ended: Promise<unknown> = waiting ?? stream.closed;
    await expect(world.settled('it fails', ended)).rejects.toMatchObject({
      code: 'cancelled',
    });
    const asked: Message['kind'][] = [];
    const answered: Message['kind'][] = [];
    network.onDelivery = (from, to, bytes) => {
      const { kind } = decodeMessage(bytes).message;
      if (from === reader.id && kind.startsWith('get-')) asked.push(kind);
      if (to === reader.id && (kind === 'block' || kind === 'index')) answered.push(kind);
    };
    await world.pass(60_000);
    expect(asked).toEqual([]);
    // Blocks that were already going out when the cancel came.
    expect(answered.length).toBeLessThanOrEqual(2 * N);
  },
);

/** Damages the block of one segment of the device's one fragment. */
function damage(device: SimDevice, segment: number, how: (hash: BlockHash) => boolean): boolean {
  const { index } = first(device.store.contents().fragments);
  return how(first(decodeFragmentIndex(index).blocks, segment));
}

/** A byte count up to `most`: half the time next to a segment's edge. */
function edgeOrAny({ world }: Simulation, most: number): number {
  if (world.random.below(2) === 0) return world.random.below(most + 1);
  const edge = world.random.below(Math.floor(most / SEGMENT_BYTES) + 1) * SEGMENT_BYTES;
  return Math.min(most, Math.max(0, edge - 1 + world.random.below(3)));
}
