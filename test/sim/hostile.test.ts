// A hostile member against honest devices: they lose nothing, refuse and report what is wrong, stay linked
// with each other, and carry on. The hostile one is a member: it may read, and it may lie about what it
// holds.

import { expect } from 'vitest';
import { decodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { fileIdOf, parseFileId, parsePoolId, type DeviceId, type FileId } from '../../src/core/model/ids.ts';
import { BLOCK_BYTES, MAX_MESSAGE_BYTES, MAX_OPEN_REQUESTS } from '../../src/core/model/limits.ts';
import { packFragments } from '../../src/core/placement/fragment-set.ts';
import { encodeCbor } from '../../src/core/encoding/decode.ts';
import { encodeMessage, PROTOCOL_VERSION, type Message } from '../../src/core/wire/messages.ts';
import { expectOnlyNeeded, fragmentsOn, settledOutboxes } from './checks.ts';
import { reachableCount, type SimDevice } from './device.ts';
import { HostileMember } from './hostile-member.ts';
import { expectMisdeed, expectWorks, HONEST_COUNT, poolWithHostile } from './hostile-pool.ts';
import { first, scenario, type Simulation } from './scenario.ts';

scenario(
  'garbage, oversized and unknown messages, and a missing or wrong hello close that link and no other',
  [401],
  async (simulation) => {
    const { world } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation);
    watchHonestLinks(simulation, honest);
    const hello = first(hostile.greeting);
    const bad: readonly (() => readonly Uint8Array[])[] = [
      () => [world.random.bytes(100)],
      () => [new Uint8Array(0)],
      () => [Uint8Array.of(0xff, 0xff, 0xff, 0xff)],
      () => [new Uint8Array(MAX_MESSAGE_BYTES + 1)],
      () => framed({ kind: 'shutdown' }),
      () => framed({ kind: 'features', features: 'challenge' }),
      () => framed({ kind: 'pulse', catalogue: 'x'.repeat(65), holdings: 0 }),
      () => framed({ kind: 'place', places: Array.from({ length: 65 }, () => [0, 0]) }),
      () => framed(['hello']),
      () => encodeMessage({ kind: 'holdings-wanted' }, world.random.bytes(9)),
      () => framed({ kind: '__proto__' }),
    ];
    for (const parts of bad) {
      await world.until('linked', () => hostile.linked.size === HONEST_COUNT);
      const before = hostile.closedCount;
      for (const device of honest) hostile.sendParts(device.id, parts());
      await world.until('closed', () => hostile.closedCount === before + HONEST_COUNT);
    }
    for (const device of honest) expect(device.notices).toContainEqual({ kind: 'unreadable-message' });
    // Nothing before hello, and no hello of another protocol or epoch.
    const wrong: readonly (readonly Message[])[] = [
      [{ kind: 'holdings-wanted' }, hello],
      [{ kind: 'hello', protocol: PROTOCOL_VERSION - 1, epoch: 0 }],
      [{ kind: 'hello', protocol: PROTOCOL_VERSION + 1, epoch: 0 }],
      [{ kind: 'hello', protocol: PROTOCOL_VERSION, epoch: 1 }],
    ];
    for (const greeting of wrong) {
      hostile.greeting = greeting;
      await world.until('linked', () => hostile.linked.size === HONEST_COUNT);
      const before = hostile.closedCount;
      await world.until('closed', () => hostile.closedCount >= before + HONEST_COUNT);
    }
    await expectWorks(simulation, honest);
  },
);

scenario(
  'a thousand made-up identities that claim something once keep no pool from opening',
  [405],
  async (simulation) => {
    const { world, network, pool } = simulation;
    const [device] = await pool(1);
    if (device === undefined) throw new Error('expected a pool of one');
    const { fileId } = await world.settled('store', device.put(world.random.bytes(900), { name: 'kept' }));
    for (let count = 0; count < 1_001; count += 1) {
      const liar = new HostileMember(world, network, device);
      const held = [{ file: parseFileId(fileId), fragments: packFragments([count % 8]) }];
      liar.greeting = [...liar.greeting, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 1 }];
      liar.open();
      await world.until('linked', () => liar.linked.size === 1);
      await world.pass(50);
      liar.vanish();
    }
    await world.pass(10_000);
    device.kill();
    await device.reopen();
    expect(device.pool.status().files.map((file) => file.fileId)).toEqual([fileId]);
    await world.settled('leave', device.pool.leave());
  },
);

scenario(
  'records that were changed, belong to another pool or speak for others are refused and reported',
  [411],
  async (simulation) => {
    const { world } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation);
    const storing = first(honest).put(world.random.bytes(900), { name: 'signed' });
    await world.settled('store', storing);
    await world.pass(10_000);
    const stolen: Uint8Array[] = [];
    hostile.onMessage = (_from, message) => {
      if (message.kind === 'entries') stolen.push(...message.entries);
    };
    hostile.send(first(honest).id, { kind: 'sync', heads: [], from: undefined, closed: false });
    await world.pass(1_000);
    expect(stolen.length).toBeGreaterThanOrEqual(HONEST_COUNT + 1);

    const before = honest.map((device) => device.store.contents().entryIds);
    const manifest = world.random.bytes(300);
    const otherPool = parsePoolId('00'.repeat(16));
    const forged = [
      ...stolen.flatMap((bytes) => Array.from({ length: 5 }, () => flipped(simulation, bytes))),
      ...stolen.map((bytes) => bytes.subarray(0, bytes.length - 1)),
      await hostile.entry({ kind: 'profile', name: 'x' }, { pool: otherPool }),
      await hostile.entry({ kind: 'file', manifest }),
      world.random.bytes(200),
    ];
    for (const device of honest) {
      for (const bytes of forged) hostile.send(device.id, { kind: 'entries', entries: [bytes], more: true });
    }
    await world.pass(20_000);
    expect(honest.map((device) => device.store.contents().entryIds)).toEqual(before);
    for (const device of honest) expectMisdeed(device, 'forged-records');
    await expectWorks(simulation, honest);
  },
);

scenario(
  'a member that removes many files of others or sends forged records is reported by name, with one notice each',
  [415],
  async (simulation) => {
    const { world } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation, 3);
    const stored: FileId[] = [];
    for (let index = 0; index < 14; index++) {
      const device = first(honest, index % 3);
      const putting = device.put(world.random.bytes(200), { name: `file ${index}` });
      stored.push(parseFileId((await world.settled('store', putting)).fileId));
    }
    await world.until('known', () => honest.every(({ pool }) => pool.status().files.length === 14));
    const entries = [await hostile.entry({ kind: 'profile', name: 'Mallory' })];
    for (const file of stored) entries.push(await hostile.entry({ kind: 'remove', file }));
    // Its own name is told to all of them first; then two forgeries come with each removal.
    for (const [index, entry] of entries.entries()) {
      const forged = [world.random.bytes(90 + index), flipped(simulation, entry)];
      for (const device of honest) {
        hostile.send(device.id, { kind: 'entries', entries: [entry, ...forged], more: false });
      }
    }
    await world.until('removed', () => honest.every(({ pool }) => pool.status().files.length === 0));
    await world.pass(2_000);
    for (const device of honest) {
      const told = device.notices.filter(({ kind }) => kind === 'misdeed');
      expect(told).toHaveLength(2);
      const mallory = expect.objectContaining({ name: 'Mallory', isAmbiguous: false });
      for (const [what, count] of [
        ['removed-files', 14],
        ['forged-records', 30],
      ]) {
        expect(told).toContainEqual({ kind: 'misdeed', what, count, device: mallory });
      }
    }
  },
);

const LIES = [
  'absent',
  'busy',
  'storage',
  'corrupt',
  'wrong bytes',
  'one byte less',
  'silence',
  'an index',
] as const;

scenario(
  'a device that claims fragments it does not have costs a read some time, and no read ends wrongly',
  LIES.map((_, index) => 430 + index),
  async (simulation) => {
    const { world } = simulation;
    const lie = first(LIES, world.seed % LIES.length);
    const { honest, hostile } = await poolWithHostile(simulation);
    const bytes = world.random.bytes(3 * 524_272);
    const { fileId } = await world.settled(
      'store',
      first(honest).put(bytes, { name: 'lied about', k: 2, n: 4 }),
    );
    await world.until('placed', () => settledOutboxes(honest));
    const file = parseFileId(fileId);
    // Any device may ask for the indexes, so it can lie about blocks too.
    const indexes = new Map(
      honest
        .flatMap((device) => device.store.contents().fragments)
        .map(({ fragment, index }) => [fragment.fragment, index]),
    );
    let askedBlockCount = 0;
    hostile.onMessage = (from, message) => {
      if (message.kind === 'get-block') askedBlockCount += 1;
      const index = message.kind === 'get-index' ? indexes.get(message.fragment) : undefined;
      if (message.kind === 'get-index' && index !== undefined && lie !== 'an index')
        hostile.send(from, { kind: 'index', id: message.id }, index);
      else if (message.kind === 'get-index' || message.kind === 'get-block')
        answerWith(lie, simulation, hostile, from, message.id);
    };
    // Fragments that exist, and fragments that the file does not have.
    const claimed = packFragments([0, 1, 2, 3, 4, 5, 200, 254]);
    const claim: Message = {
      kind: 'holdings',
      base: 0,
      held: [{ file, fragments: claimed }],
      heldBytes: 9,
      freeBytes: 0,
    };
    for (const device of honest) hostile.send(device.id, claim);
    await world.pass(1_000);
    const reader = first(honest, 3);
    expect(reader.fileStatus(fileId)).toMatchObject({ reach: 4 });
    const read = await world.settled(`read past ${lie}`, reader.read(fileId), 120_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
    // What it gave instead is reported once it is clear that the claim stands.
    await world.pass(20_000);
    const mayBeHonest = ['busy', 'storage', 'silence', 'an index'].includes(lie);
    if (!mayBeHonest) expectMisdeed(reader, 'withheld');

    // With one honest fragment left, only the liar could make it two.
    for (const device of honest.slice(0, 3)) device.kill();
    await world.pass(10_000);
    const refused = world.settled(`refused for ${lie}`, reader.read(fileId), 600_000);
    await expect(refused).rejects.toMatchObject({ code: 'not-enough-fragments' });
    if (lie !== 'an index') expect(askedBlockCount).toBeGreaterThan(0);
    for (const device of honest.slice(0, 3)) await device.reopen();
    await world.until('back', () => reachableCount(reader) >= HONEST_COUNT);
    await world.pass(2_000);
    const again = await world.settled('read when they are back', reader.read(fileId), 120_000);
    expect(Buffer.compare(again, bytes)).toBe(0);
  },
);

scenario(
  'a device that claims everything and asks the others to release their second copies gets none of them',
  [440],
  async (simulation) => {
    const { world } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation);
    const bytes = world.random.bytes(10_000);
    const { fileId } = await world.settled('store', first(honest).put(bytes, { name: 'coveted' }));
    await world.until('placed', () => settledOutboxes(honest));
    await world.pass(1_000);
    const file = parseFileId(fileId);
    const fragments = new Set([0, 1, 2, 3, 4, 5, 6, 7]);
    for (const device of honest) {
      hostile.send(device.id, {
        kind: 'holdings',
        base: 0,
        held: [{ file, fragments: packFragments(fragments) }],
        heldBytes: 1,
        freeBytes: 0,
      });
      for (const fragment of fragments)
        hostile.send(device.id, { kind: 'release', place: { file, fragment } });
    }
    await world.pass(10_000);
    hostile.vanish();
    await world.pass(10_000);
    expect(fragmentsOn(honest, fileId).size).toBe(8);
    const read = await world.settled('read', first(honest, 1).read(fileId));
    expect(Buffer.compare(read, bytes)).toBe(0);
  },
);

const TAKERS = [
  'says nothing',
  'always busy',
  'always full',
  'claims and has not',
  'asks and never takes',
] as const;

scenario(
  'a device that does not take what it is offered, or only says so, neither stops a store nor costs a file',
  TAKERS.map((_, index) => 445 + index),
  async (simulation) => {
    const { world } = simulation;
    const taker = first(TAKERS, world.seed % TAKERS.length);
    const { honest, hostile } = await poolWithHostile(simulation);
    hostile.onMessage = (from, message) => {
      if (message.kind !== 'place') return;
      for (const place of message.places) {
        const { file, fragment } = place;
        if (taker === 'always busy') hostile.send(from, { kind: 'refuse', place, reason: 'busy' });
        if (taker === 'always full') hostile.send(from, { kind: 'refuse', place, reason: 'space' });
        if (taker === 'asks and never takes')
          hostile.send(from, { kind: 'get-index', id: world.random.below(2 ** 31), file, fragment });
      }
      if (taker === 'claims and has not') {
        const fragments = packFragments(message.places.map(({ fragment }) => fragment));
        const held = [{ file: first(message.places).file, fragments }];
        hostile.send(from, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 2 ** 40 });
      }
    };
    const empty: Message = { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 2 ** 40 };
    for (const device of honest) hostile.send(device.id, empty);
    await world.pass(1_000);
    const bytes = world.random.bytes(30_000);
    const storing = first(honest).put(bytes, { name: 'offered' });
    const { fileId } = await world.settled(`store beside one that ${taker}`, storing, 300_000);
    await world.until('placed', () => settledOutboxes(honest), 600_000);
    hostile.vanish();
    await world.pass(10_000);
    expect(fragmentsOn(honest, fileId).size).toBeGreaterThanOrEqual(4);
    for (const reader of honest) {
      const read = await world.settled('read', reader.read(fileId), 60_000);
      expect(Buffer.compare(read, bytes)).toBe(0);
    }
  },
);

scenario(
  'a store whose only remaining taker is always busy or silent reports what could be placed',
  [455, 456],
  async (simulation) => {
    const { world } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation, 2);
    hostile.onMessage = (from, message) => {
      if (message.kind !== 'place' || world.seed % 2 === 0) return;
      for (const place of message.places) hostile.send(from, { kind: 'refuse', place, reason: 'busy' });
    };
    const empty: Message = { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 2 ** 40 };
    for (const device of honest) hostile.send(device.id, empty);
    await world.pass(1_000);
    // Two devices may hold six of these, and seven would be a quorum.
    const storing = first(honest).put(world.random.bytes(9_000), { name: 'six of seven', k: 4, n: 10 });
    const { placed } = await world.settled('store', storing, 300_000);
    expect(placed).toBe(6);
  },
);

scenario(
  'floods and unrequested answers are bounded, and stores and reads continue meanwhile',
  [460, 461, 462, 463, 464, 465, 466],
  async (simulation) => {
    const { world, network } = simulation;
    const { honest, hostile } = await poolWithHostile(simulation);
    const victim = first(honest);
    await world.settled('store', victim.put(world.random.bytes(500_000), { name: 'flooded', k: 2, n: 4 }));
    await world.until('placed', () => settledOutboxes(honest));
    watchHonestLinks(simulation, honest);
    const message = first(floods(simulation, victim), world.seed % 7);
    const { faults } = network;
    network.faults = { ...faults, bytesPerMs: 100 };
    network.unlimited.add(hostile.id);
    for (let wave = 0; wave < 6; wave++) {
      for (let index = 0; index < 700; index++) {
        const { header, payload } = message(wave * 700 + index);
        hostile.send(victim.id, header, payload);
      }
      await world.pass(50);
    }
    await world.pass(1_000);
    // Some answers wait, at most those of a device's open requests; no more are prepared for it.
    expect(network.mostQueuedBytes(victim.id, hostile.id)).toBeLessThan(MAX_OPEN_REQUESTS * BLOCK_BYTES);
    network.faults = faults;
    await expectWorks(simulation, honest);
    await world.until('all is placed', () => settledOutboxes(honest));
    await world.pass(1_000);
    for (const device of honest) expectOnlyNeeded(device);
  },
);

type Flood = (index: number) => { readonly header: Message; readonly payload?: Uint8Array };

function floods({ world }: Simulation, victim: SimDevice): readonly Flood[] {
  const held = first(victim.store.contents().fragments);
  const hash = first(decodeFragmentIndex(held.index).blocks);
  const junk = world.random.bytes(64);
  const unknown = fileIdOf(junk);
  return [
    (id) => ({ header: { kind: 'block', id }, payload: junk }),
    () => ({ header: { kind: 'get-block', id: 7, hash } }),
    (id) => ({ header: { kind: 'get-block', id, hash } }),
    (index) => ({ header: { kind: 'place', places: [{ file: unknown, fragment: index % 255 }] } }),
    (index) => ({
      header: {
        kind: 'holdings',
        base: index % 2,
        held: [{ file: fileIdOf(Uint8Array.of(index, index >> 8)), fragments: packFragments([1]) }],
        heldBytes: 1,
        freeBytes: index * 1e9,
      },
    }),
    () => ({ header: { kind: 'sync', heads: [], from: undefined, closed: false } }),
    (index) => ({
      header: index % 2 === 0 ? { kind: 'get-block', id: index, hash } : { kind: 'cancel', id: index - 1 },
    }),
  ];
}

function answerWith(
  lie: (typeof LIES)[number],
  { world }: Simulation,
  hostile: HostileMember,
  to: DeviceId,
  id: number,
): void {
  switch (lie) {
    case 'absent':
    case 'busy':
    case 'storage':
    case 'corrupt':
      hostile.send(to, { kind: 'failed', id, reason: lie });
      return;
    case 'wrong bytes':
      hostile.send(to, { kind: 'block', id }, world.random.bytes(262_144));
      return;
    case 'one byte less':
      hostile.send(to, { kind: 'block', id }, new Uint8Array(262_143));
      return;
    case 'an index':
      hostile.send(to, { kind: 'index', id }, encodeCbor({ v: 1, i: 0 }));
      return;
    case 'silence':
      return;
  }
}

/** From now on honest devices never lose each other. */
function watchHonestLinks({ world }: Simulation, honest: readonly SimDevice[]): void {
  let lookedAtMs = -1;
  world.always(() => {
    if (world.nowMs === lookedAtMs) return;
    lookedAtMs = world.nowMs;
    for (const device of honest) {
      const reachable = new Set(
        device.pool
          .status()
          .devices.filter(({ state }) => state === 'reachable')
          .map(({ id }) => id),
      );
      for (const other of honest)
        expect(reachable.has(other.id), `${device.name} lost ${other.name}`).toBe(true);
    }
  });
}

/** A message with this header, whatever it is. */
function framed(header: unknown): readonly Uint8Array[] {
  const bytes = encodeCbor(header);
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, bytes.length);
  return [length, bytes];
}

function flipped({ world }: Simulation, bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  const at = world.random.below(copy.length);
  copy[at] = (copy[at] ?? 0) ^ (1 << world.random.below(8));
  return copy;
}
