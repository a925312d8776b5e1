// Holders that claim and keep nothing: before a storer gives up its own copies, each holder must prove its
// claims from its own disk, and cannot fetch the fragments from the storer during its challenge.

import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { decodeEntry } from '../../src/core/catalogue/entry.ts';
import { openManifest, type Manifest } from '../../src/core/catalogue/manifest.ts';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { concatBytes, utf8 } from '../../src/core/model/bytes.ts';
import { proofRanges } from '../../src/core/peer/proof-ranges.ts';
import { blockKey, cidOf, fileIdOf, type DeviceId, type FileId } from '../../src/core/model/ids.ts';
import { packFragments } from '../../src/core/placement/fragment-set.ts';
import type { Message, ProofAsk } from '../../src/core/wire/messages.ts';
import type { Place } from '../../src/core/wire/places.ts';
import { settledOutboxes } from './checks.ts';
import type { SimDevice } from './device.ts';
import { synchronousCryptography } from './synchronous-cryptography.ts';
import { HostileMember } from './hostile-member.ts';
import { first, scenario, type Simulation } from './scenario.ts';

const LIARS = ['send wrong proofs', 'say nothing', 'admit it', 'fetch it now'] as const;
const LIAR_COUNT = 8;

scenario(
  'eight names that claim fragments and keep nothing do not make a storer let go',
  LIARS.map((_, index) => 1_200 + index),
  async (simulation) => {
    const { world } = simulation;
    const kind = first(LIARS, world.seed % LIARS.length);
    const [storer] = await simulation.pool(1);
    if (storer === undefined) throw new Error('expected one device');
    const liars = await Promise.all(
      Array.from({ length: LIAR_COUNT }, (_, index) => liar(simulation, storer, kind, index)),
    );
    await world.until('all know each other', () => storer.pool.status().devices.length === 1 + LIAR_COUNT);
    const bytes = world.random.bytes(3_000_000);
    const storing = storer.put(bytes, { name: 'film' });
    const { fileId, placed } = await world.settled('store', storing, 600_000);
    expect(placed, kind).toBeLessThan(4);
    await world.pass(300_000);
    expect(storer.fileStatus(fileId)?.inOutbox, kind).toBe(true);
    expect(storer.fileStatus(fileId)?.safe, kind).toBe(false);
    const stolen = liars.reduce((sum, { served }) => sum + served.count, 0);
    expect(stolen, 'what was served while it was being proved').toBe(0);
    const isTold = storer.notices.some(
      (notice) => notice.kind === 'misdeed' && notice.what === 'false-claims',
    );
    expect(isTold).toBe(kind === 'send wrong proofs');

    for (const { member } of liars) member.vanish();
    await world.pass(10_000);
    const read = await world.settled('read', storer.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'liars among honest devices cost only time: the file is placed on devices that hold it',
  [1_210, 1_211, 1_212, 1_213],
  async (simulation) => {
    const { world } = simulation;
    const kind = first(LIARS, world.seed % LIARS.length);
    const honest = await simulation.pool(4);
    const storer = first(honest);
    const liars = await Promise.all([0, 1].map((index) => liar(simulation, storer, kind, index)));
    await world.until('all know each other', () => storer.pool.status().devices.length === 6);
    const bytes = world.random.bytes(1_500_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'film' }), 600_000);
    await world.until('placed', () => settledOutboxes(honest), 1_200_000);
    for (const { member } of liars) member.vanish();
    await world.pass(10_000);
    const status = storer.fileStatus(fileId);
    expect(status?.reach).toBe(8);
    expect(status?.margin).toBeGreaterThanOrEqual(1);
    storer.kill();
    const read = await world.settled('read', first(honest, 1).read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

scenario(
  'a member that claims all of every new file, stays silent and claims again does not keep it from others',
  [1_220, 1_221, 1_222],
  async (simulation) => {
    const { world, network } = simulation;
    const honest = await simulation.pool(4);
    const storer = first(honest);
    // All fragments; or as many as a device may hold; or as many, withdrawn again and again.
    const greed = world.seed % 3;
    const member = new HostileMember(world, network, storer);
    member.greeting = [...member.greeting, { kind: 'features', features: ['challenge'] }];
    const profile = await member.entry({ kind: 'profile', name: 'Mallory' });
    let file: FileId | undefined;
    const claim = (to: DeviceId): void => {
      if (file === undefined) return;
      const fragments = greed === 0 ? [0, 1, 2, 3, 4, 5, 6, 7] : [0, 1, 2];
      for (const held of [[], [{ file, fragments: packFragments(fragments) }]])
        member.send(to, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 0 });
    };
    member.onMessage = (from, message) => {
      if (message.kind === 'hello') {
        member.send(from, { kind: 'entries', entries: [profile], more: false });
        member.send(from, { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 0 });
      }
      if (message.kind !== 'entries') return;
      for (const { body } of message.entries.map((bytes) => decodeEntry(bytes)))
        if (body.kind === 'file') file = fileIdOf(body.manifest);
      if (from === storer.id) claim(from);
    };
    member.open();
    await world.until('all know each other', () => storer.pool.status().devices.length === 5);
    const bytes = world.random.bytes(3_000_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'film' }), 300_000);
    for (let turn = 0; turn < 20; turn++) {
      await world.pass(greed === 2 ? 500 : 14_000);
      claim(storer.id);
    }
    await world.until('placed', () => settledOutboxes(honest), 120_000);
    for (const reader of honest.slice(1)) {
      const read = await world.settled('read', reader.read(fileId), 30_000);
      expect(Buffer.compare(read, bytes)).toBe(0);
    }
    member.vanish();
  },
);

scenario(
  'one machine with room for one fragment, behind eight names, does not make a storer let go',
  [1_230, 1_233],
  async (simulation) => {
    const { world } = simulation;
    const [storer] = await simulation.pool(1);
    if (storer === undefined) throw new Error('expected one device');
    // Either each name says that it can prove once the machine has its fragment, or all do together.
    const isLate = world.seed % 2 === 0;
    const machine = new Machine(simulation, isLate);
    for (let index = 0; index < LIAR_COUNT; index++) await machine.addName(storer, index);
    await world.until('all know each other', () => storer.pool.status().devices.length === 1 + LIAR_COUNT);
    const bytes = world.random.bytes(3_000_000);
    const { fileId } = await world.settled('store', storer.put(bytes, { name: 'film' }), 600_000);
    await world.pass(200_000);
    expect(machine.rightProofCount, 'it can prove what it has').toBeGreaterThan(0);
    expect(storer.fileStatus(fileId)?.inOutbox).toBe(true);
    expect(storer.fileStatus(fileId)?.safe).toBe(false);
    for (const name of machine.names) name.vanish();
    await world.pass(10_000);
    const read = await world.settled('read', storer.read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

/**
 * Devices of one machine, whose disk has room for one fragment: it drops the last before it fetches the next.
 */
class Machine {
  readonly names: HostileMember[] = [];
  rightProofCount = 0;
  readonly #simulation: Simulation;
  readonly #isLate: boolean;
  #disk:
    | { readonly fragment: number; readonly index: Uint8Array; readonly blocks: Map<string, Uint8Array> }
    | undefined;
  #file: { readonly fileId: FileId; readonly manifest: Manifest } | undefined;
  readonly #answers = new Map<number, (bytes: Uint8Array | undefined) => void>();
  #nextId = 1;
  /** One thing after another: the machine has one disk. */
  #busy: Promise<void> = Promise.resolve();

  constructor(simulation: Simulation, isLate: boolean) {
    this.#simulation = simulation;
    this.#isLate = isLate;
  }

  async addName(storer: SimDevice, index: number): Promise<void> {
    const { world, network } = this.#simulation;
    const name = new HostileMember(world, network, storer);
    this.names.push(name);
    const profile = await name.entry({ kind: 'profile', name: `Name ${index}` });
    const features: Message = { kind: 'features', features: ['challenge'] };
    if (!this.#isLate) name.greeting = [...name.greeting, features];
    const share = new Set<number>();
    const claim = (to: DeviceId): void => {
      const file = this.#file?.fileId;
      const held = file === undefined ? [] : [{ file, fragments: packFragments(share) }];
      name.send(to, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 2 ** 40 });
    };
    name.onMessage = (from, message, payload) => {
      switch (message.kind) {
        case 'hello':
          name.send(from, { kind: 'entries', entries: [profile], more: false });
          claim(from);
          break;
        case 'entries':
          void this.#learn(message.entries, name);
          break;
        case 'place':
          for (const { fragment } of message.places) share.add(fragment);
          claim(from);
          this.#then(async () => {
            for (const place of message.places) await this.#fetch(name, from, place);
            if (this.#isLate) name.send(from, features);
            claim(from);
          });
          break;
        case 'challenge':
          this.#then(() => this.#prove(name, from, message.id, message.asks));
          break;
        case 'index':
        case 'block':
          this.#answers.get(message.id)?.(payload.slice());
          break;
        case 'failed':
          this.#answers.get(message.id)?.(undefined);
          break;
        default:
          break;
      }
    };
    name.open();
  }

  #then(work: () => Promise<void>): void {
    this.#busy = this.#busy.then(work);
  }

  async #learn(entries: readonly Uint8Array[], { keys }: HostileMember): Promise<void> {
    for (const { body } of entries.map((bytes) => decodeEntry(bytes))) {
      if (body.kind !== 'file') continue;
      const { catalogueKey, poolId } = keys;
      const manifest = await openManifest(body.manifest, [catalogueKey], poolId, synchronousCryptography);
      this.#file = { fileId: fileIdOf(body.manifest), manifest };
    }
  }

  /** It fetches missing fragments now, if the storer serves them. */
  async #prove(name: HostileMember, from: DeviceId, id: number, asks: readonly ProofAsk[]): Promise<void> {
    const digests: (Uint8Array | undefined)[] = [];
    for (const ask of asks) {
      if (this.#disk?.fragment !== ask.fragment) await this.#fetch(name, from, ask);
      digests.push(this.#digest(name.id, ask));
    }
    this.rightProofCount += digests.filter((digest) => digest !== undefined).length;
    name.send(from, { kind: 'proof', id, digests });
  }

  #digest(prover: DeviceId, { fragment, salt }: ProofAsk): Uint8Array | undefined {
    const [disk, manifest] = [this.#disk, this.#file?.manifest];
    const fragmentId = manifest?.fragments[fragment];
    if (disk?.fragment !== fragment || manifest === undefined || fragmentId === undefined) return undefined;
    const parts: Uint8Array[] = [utf8('palm/v2/proof'), salt, cidOf(prover).bytes, disk.index];
    const { blocks } = decodeFragmentIndex(disk.index);
    for (const { segment, start, end } of proofRanges(salt, fragmentId, manifest)) {
      const block = disk.blocks.get(blockKey(first(blocks, segment)));
      if (block === undefined) return undefined;
      parts.push(block.slice(start, end));
    }
    return createHash('sha256')
      .update(concatBytes(...parts))
      .digest();
  }

  async #fetch(name: HostileMember, from: DeviceId, { file, fragment }: Place): Promise<void> {
    const index = await this.#ask(name, from, { kind: 'get-index', id: this.#nextId++, file, fragment });
    if (index === undefined) return;
    const blocks = new Map<string, Uint8Array>();
    this.#disk = { fragment, index, blocks };
    for (const hash of decodeFragmentIndex(index).blocks) {
      const block = await this.#ask(name, from, { kind: 'get-block', id: this.#nextId++, hash });
      if (block !== undefined) blocks.set(blockKey(hash), block);
    }
  }

  /** Nothing, after a while without an answer. */
  #ask(
    name: HostileMember,
    to: DeviceId,
    message: Message & { readonly id: number },
  ): Promise<Uint8Array | undefined> {
    return new Promise((resolve) => {
      this.#answers.set(message.id, resolve);
      this.#simulation.world.after(4_000, () => resolve(undefined));
      name.send(to, message);
    });
  }
}

interface Liar {
  readonly member: HostileMember;
  /** Indexes and blocks that it was sent between a challenge and its end. */
  readonly served: { count: number };
}

async function liar(
  { world, network }: Simulation,
  storer: SimDevice,
  kind: (typeof LIARS)[number],
  index: number,
): Promise<Liar> {
  const member = new HostileMember(world, network, storer);
  member.greeting = [...member.greeting, { kind: 'features', features: ['challenge'] }];
  const profile = await member.entry({ kind: 'profile', name: `Liar ${index}` });
  const served = { count: 0 };
  const claimed = new Map<FileId, Set<number>>();
  const claim = (to: DeviceId): void => {
    const held = [...claimed].map(([file, fragments]) => ({ file, fragments: packFragments(fragments) }));
    member.send(to, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 2 ** 50 });
  };
  let asked: { readonly id: number; readonly asks: readonly Place[] } | undefined;
  member.onMessage = (from, message: Message) => {
    switch (message.kind) {
      case 'hello':
        member.send(from, { kind: 'entries', entries: [profile], more: false });
        claim(from);
        break;
      case 'place':
        for (const { file, fragment } of message.places)
          claimed.set(file, (claimed.get(file) ?? new Set()).add(fragment));
        claim(from);
        break;
      case 'challenge':
        asked = message;
        if (kind === 'send wrong proofs' || kind === 'admit it') {
          const digests = message.asks.map(() => (kind === 'admit it' ? undefined : world.random.bytes(32)));
          member.send(from, { kind: 'proof', id: message.id, digests });
        }
        if (kind === 'fetch it now')
          for (const { file, fragment } of message.asks)
            member.send(from, { kind: 'get-index', id: world.random.below(2 ** 31), file, fragment });
        break;
      case 'index':
      case 'block':
      case 'fragments':
        served.count += 1;
        break;
      case 'failed':
        // Nothing to be had: it says so, and may fetch as much as it likes later.
        if (kind === 'fetch it now' && asked !== undefined) {
          const { id, asks } = asked;
          asked = undefined;
          member.send(from, { kind: 'proof', id, digests: asks.map(() => undefined) });
        }
        break;
      default:
        break;
    }
  };
  member.open();
  return { member, served };
}
