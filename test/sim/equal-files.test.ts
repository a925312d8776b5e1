// A file that is stored a second time: what may stand for it. A content tag is only its publisher's word;
// bytes are compared, and holders must give parts of what they claim.

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { decodeEntry } from '../../src/core/catalogue/entry.ts';
import { openManifest, sealManifest, type Manifest } from '../../src/core/catalogue/manifest.ts';
import { contentTagOf } from '../../src/core/coding/file-key.ts';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { blockKey, fileIdOf } from '../../src/core/model/ids.ts';
import { geometryOf, segmentBytesOf } from '../../src/core/model/geometry.ts';
import { packFragments } from '../../src/core/placement/fragment-set.ts';

import { settledOutboxes } from './checks.ts';
import type { SimDevice } from './device.ts';
import { recordsOn } from './disk-records.ts';
import { synchronousCryptography } from './synchronous-cryptography.ts';
import { HostileMember } from './hostile-member.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const SIZE = 2_000_000;

/** How long a move and the end of its old copy may take, ms. */
const MOVED_MS = 15 * 60_000;

scenario(
  'equal bytes are stored once, whichever device stores them, if any one device may be lost',
  [1_300, 1_301],
  async ({ world, pool }) => {
    const devices = await pool(4);
    const [one, other] = [first(devices), first(devices, 1)];
    const bytes = world.random.bytes(world.seed % 2 === 0 ? SIZE : 20_000);
    const { fileId } = await world.settled('store', one.put(bytes, { name: 'a.bin' }));
    await world.until('placed', () => settledOutboxes(devices));
    await world.pass(5_000);
    const fragments = heldCount(devices);
    const again = await world.settled('the same device', one.put(bytes, { name: 'b.bin' }));
    expect(again).toMatchObject({ deduplicated: true });
    const elsewhere = await world.settled('another device', other.put(bytes, { name: 'c.bin' }));
    expect(elsewhere).toMatchObject({ deduplicated: true });
    await world.pass(5_000);
    // A fragment that moves to a device with fewer is on both until that one is trusted.
    await world.until('nothing more is held', () => heldCount(devices) === fragments, MOVED_MS);
    for (const device of devices) {
      const { files } = device.pool.status();
      expect(files.map(({ name }) => name).toSorted()).toEqual(['a.bin', 'b.bin', 'c.bin']);
      expect(new Set(files.map(({ contentId }) => contentId))).toEqual(new Set([fileId]));
    }
  },
);

scenario(
  'equal bytes that the loss of one device would lose are stored again',
  [1_305, 1_306],
  async ({ world, pool }) => {
    const devices = await pool(2);
    const [one, other] = [first(devices), first(devices, 1)];
    const bytes = world.random.bytes(SIZE);
    const { fileId } = await world.settled('store', one.put(bytes, { name: 'a.bin' }));
    await world.pass(5_000);
    const storer = world.seed % 2 === 0 ? one : other;
    const again = await world.settled('again', storer.put(bytes, { name: 'b.bin' }));
    expect(again.deduplicated).toBe(false);
    expect(again.fileId).not.toBe(fileId);
  },
);

function heldCount(devices: readonly SimDevice[]): number {
  return devices.reduce((count, { store }) => count + store.contents().fragments.length, 0);
}

const POISONS = ['gives other bytes', 'gives nothing', 'is not held at all'] as const;

scenario(
  'a file that was published under the content tag of another does not stand for it',
  POISONS.map((_, index) => 1_310 + index),
  async (simulation) => {
    const { world } = simulation;
    const poison = first(POISONS, world.seed % POISONS.length);
    const honest = await simulation.pool(3);
    const [storer, other] = [first(honest), first(honest, 1)];
    const [bytes, otherBytes] = [world.random.bytes(SIZE), world.random.bytes(SIZE)];
    await world.settled('the other file', other.put(otherBytes, { name: 'other', durability: 'fast' }));
    const liars = await poisonPool(simulation, other, bytes, poison);
    await world.until('it is known', () => storer.pool.status().files.length === 2);
    await world.pass(5_000);

    const stored = await world.settled('store', storer.put(bytes, { name: 'mine' }), 300_000);
    expect(stored.deduplicated, poison).toBe(false);
    await world.until('placed', () => storer.fileStatus(stored.fileId)?.inOutbox === false, 600_000);
    const isTold = storer.notices.some(
      (notice) => notice.kind === 'misdeed' && notice.what === 'false-equal',
    );
    expect(isTold, poison).toBe(poison === 'gives other bytes');
    for (const liar of liars) liar.vanish();
    await world.pass(5_000);
    const read = await world.settled('read', other.read(stored.fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

/** Three members, one of which publishes the file of `victim` again, under the tag of `bytes`. */
async function poisonPool(
  { world, network }: Simulation,
  victim: SimDevice,
  bytes: Uint8Array<ArrayBuffer>,
  poison: (typeof POISONS)[number],
): Promise<HostileMember[]> {
  const liars = [0, 1, 2].map(() => new HostileMember(world, network, victim));
  const publisher = first(liars);
  const manifest = await manifestOn(victim, publisher);
  if (manifest.access.kind !== 'pool') throw new Error('expected a pool file');
  const segmentBytes = segmentBytesOf(geometryOf(SIZE, manifest.k, manifest.n));
  const hashes = Array.from({ length: Math.ceil(SIZE / segmentBytes) }, (_, segment) =>
    createHash('sha256')
      .update(bytes.subarray(segment * segmentBytes, (segment + 1) * segmentBytes))
      .digest(),
  );
  const contentTag = contentTagOf(publisher.keys.contentTagKey, hashes);
  const forged = await sealManifest(
    { ...manifest, by: publisher.id, access: { ...manifest.access, contentTag } },
    publisher.keys.catalogueKey,
    publisher.keys.poolId,
    world.random.bytes(12),
    synchronousCryptography,
  );
  const fileId = fileIdOf(forged);
  const { indexes, blocks } = await fragmentsOn(victim);
  for (const [number, liar] of liars.entries()) {
    const entries = [await liar.entry({ kind: 'profile', name: `Liar ${number}` })];
    if (liar === publisher) entries.push(await liar.entry({ kind: 'file', manifest: forged }));
    const fragments = packFragments([0, 1, 2, 3, 4, 5, 6, 7].filter((fragment) => fragment % 3 === number));
    liar.onMessage = (from, message) => {
      switch (message.kind) {
        case 'hello': {
          liar.send(from, { kind: 'entries', entries, more: false });
          const held = poison === 'is not held at all' ? [] : [{ file: fileId, fragments }];
          liar.send(from, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 0 });
          break;
        }
        case 'get-index': {
          const index = poison === 'gives other bytes' ? indexes.get(message.fragment) : undefined;
          if (index === undefined) liar.send(from, { kind: 'failed', id: message.id, reason: 'absent' });
          else liar.send(from, { kind: 'index', id: message.id }, index);
          break;
        }
        case 'get-block': {
          const block = poison === 'gives other bytes' ? blocks.get(blockKey(message.hash)) : undefined;
          if (block === undefined) liar.send(from, { kind: 'failed', id: message.id, reason: 'absent' });
          else liar.send(from, { kind: 'block', id: message.id }, block);
          break;
        }
        default:
          break;
      }
    };
    liar.open();
  }
  return liars;
}

/** The manifest of the one file that `device` stored, opened as any member may. */
async function manifestOn(device: SimDevice, member: HostileMember): Promise<Manifest> {
  const { catalogueKey, poolId } = member.keys;
  for (const bytes of await recordsOn(device)) {
    const { body } = decodeEntry(bytes);
    if (body.kind === 'file')
      return openManifest(body.manifest, [catalogueKey], poolId, synchronousCryptography);
  }
  throw new Error('expected a stored file');
}

async function fragmentsOn(device: SimDevice): Promise<{
  indexes: ReadonlyMap<number, Uint8Array>;
  blocks: ReadonlyMap<string, Uint8Array>;
}> {
  const indexes = new Map<number, Uint8Array>();
  const blocks = new Map<string, Uint8Array>();
  for (const { fragment, index } of device.store.contents().fragments) {
    indexes.set(fragment.fragment, index);
    for (const hash of decodeFragmentIndex(index).blocks) {
      const bytes = await device.store.fragments.getBlock(hash);
      if (bytes !== undefined) blocks.set(blockKey(hash), bytes);
    }
  }
  return { indexes, blocks };
}
