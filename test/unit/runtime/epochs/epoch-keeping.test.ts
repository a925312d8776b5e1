// Devices of one pool change its keys: whoever is in opens them, from the act or from another device, across
// restarts, and nobody else does. Acts and keys are carried by hand.

import { beforeEach, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { systemRandom } from '../../../../src/adapters/portable/random.ts';
import type { CheckedAct } from '../../../../src/core/catalogue/grants/act.ts';
import { ActSet } from '../../../../src/core/catalogue/grants/act-set.ts';
import type { DeviceId, EntryId } from '../../../../src/core/model/ids.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';
import { derivePoolKeys, type RoomKeys } from '../../../../src/core/model/pool-keys.ts';
import type { Identity, SecretStore } from '../../../../src/core/ports.ts';
import { signAct, type Deed } from '../../../../src/runtime/acts/act-writer.ts';
import { EpochKeeping } from '../../../../src/runtime/epochs/epoch-keeping.ts';
import { ownExchangePair } from '../../../../src/runtime/epochs/epoch-secrets.ts';
import { writeEpoch } from '../../../../src/runtime/epochs/new-epoch.ts';
import { savePool } from '../../../../src/runtime/saved-pool.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const SECRET = seededBytes(32, 1);
const [FOUNDER, ANNA, BEN] = [deviceAt(0), deviceAt(1), deviceAt(2)];
const clock = { monotonicMs: () => 0, wallMs: () => 1_760_000_000_000, after: () => () => undefined };

function secretsInMemory(): SecretStore {
  const rows = new Map<string, Uint8Array>();
  return {
    get: async (name) => rows.get(name),
    put: async (name, secret) => void rows.set(name, secret),
    clear: async () => rows.clear(),
  };
}

/** One device: its acts and secrets outlive its pages. */
class Device {
  readonly acts = new ActSet();
  readonly secrets = secretsInMemory();
  readonly moves: RoomKeys[] = [];
  readonly lacks: boolean[] = [];
  keys = new KeyRing(derivePoolKeys(SECRET, 0));
  epochs: EpochKeeping;
  readonly identity: Identity;

  constructor(identity: Identity) {
    this.identity = identity;
    this.epochs = this.#newPage();
  }

  #newPage(): EpochKeeping {
    this.keys = new KeyRing(derivePoolKeys(SECRET, 0));
    return new EpochKeeping({
      cryptography: webCryptography,
      secrets: this.secrets,
      identity: { deviceId: this.id },
      transport: { move: (current) => this.moves.push(current) },
      keys: this.keys,
      acts: this.acts,
      looked: (isMissing) => this.lacks.push(isMissing),
    });
  }

  get id(): DeviceId {
    return this.identity.deviceId;
  }

  async open(): Promise<void> {
    this.epochs = this.#newPage();
    await this.epochs.restore();
    await this.epochs.look();
  }

  async write(deed: Deed): Promise<CheckedAct> {
    const position = this.acts.positionOf(this.id);
    const act = await signAct(signing(this), deed, position);
    this.acts.add([act]);
    await this.epochs.look();
    return act;
  }

  rotate(): Promise<CheckedAct | undefined> {
    return writeEpoch({
      cryptography: webCryptography,
      random: systemRandom,
      acts: this.acts,
      self: this.id,
      epochs: () => this.epochs.epochs(),
      write: async (deed) => this.write(deed()),
    });
  }

  async tell(other: Device): Promise<void> {
    other.acts.add(this.acts.acts());
    await other.epochs.look();
  }

  async give(other: Device): Promise<boolean> {
    const sealed = await this.epochs.sealedFor(other.id);
    return sealed !== undefined && (await other.epochs.take(this.id, sealed));
  }

  get room(): string {
    return this.keys.current.poolId;
  }
}

function signing({ identity, keys }: Device): Parameters<typeof signAct>[0] {
  return { identity, keys, clock, cryptography: webCryptography };
}

let founder: Device;
let anna: Device;
let ben: Device;

beforeEach(async () => {
  [founder, anna, ben] = [new Device(FOUNDER), new Device(ANNA), new Device(BEN)];
  const { publicKey } = await ownExchangePair(founder.secrets, webCryptography);
  const charter = await signAct(
    signing(founder),
    { kind: 'charter', members: membersOf(ANNA, BEN), recovery: undefined, exchange: publicKey },
    { seq: 1, prev: undefined, seen: [] },
  );
  for (const device of [founder, anna, ben]) {
    await savePool(device.secrets, { secret: SECRET, epoch: 0 });
    device.acts.follow(charter.record.id);
    device.acts.add([charter]);
    await ownExchangePair(device.secrets, webCryptography);
    await device.open();
  }
});

function membersOf(...identities: readonly Identity[]): { device: DeviceId; point: undefined }[] {
  return identities.map(({ deviceId }) => ({ device: deviceId, point: undefined }));
}

/** The device publishes its exchange key, and everybody hears of it. */
async function publishes(device: Device): Promise<void> {
  const { publicKey } = await ownExchangePair(device.secrets, webCryptography);
  await device.write({ kind: 'exchange', key: publicKey });
  for (const other of [founder, anna, ben]) await device.tell(other);
}

async function shutOut(device: Device): Promise<void> {
  await founder.write({
    kind: 'shut-out',
    as: 0,
    device: device.id,
    last: undefined,
    undone: [],
    reason: '',
  });
}

it('whoever is in opens the keys from the act, and moves; the old keys stay known', async () => {
  await publishes(anna);
  const before = founder.room;
  expect(await founder.rotate()).toBeDefined();
  await founder.tell(anna);
  expect(anna.room).toBe(founder.room);
  expect(anna.room).not.toBe(before);
  expect(anna.keys.newestFirst.map(({ poolId }) => poolId)).toEqual([founder.room, before]);
  expect(anna.moves.map(({ poolId }) => poolId)).toEqual([founder.room]);
  expect(anna.lacks).toEqual([]);
});

it('a device without an exchange key lacks them until another gives them, and is then told so', async () => {
  await publishes(anna);
  await founder.rotate();
  await founder.tell(ben);
  await founder.tell(anna);
  expect([ben.epochs.isMissing, ben.lacks]).toEqual([true, [true]]);
  expect(ben.room).not.toBe(founder.room);
  // Without an exchange key nothing can be sealed to it either.
  expect(await founder.give(ben)).toBe(false);
  await publishes(ben);
  expect(await anna.give(ben)).toBe(true);
  expect([ben.room, ben.epochs.isMissing]).toEqual([founder.room, false]);
  expect(ben.lacks.at(-1)).toBe(false);
});

it('a shut-out device gets the next keys from nobody, and what is sealed to it before does not help it', async () => {
  await publishes(anna);
  await publishes(ben);
  await founder.rotate();
  for (const device of [anna, ben]) await founder.tell(device);
  await shutOut(ben);
  expect(founder.epochs.epochs().isClean).toBe(false);
  await founder.rotate();
  for (const device of [anna, ben]) await founder.tell(device);
  expect(founder.epochs.epochs().isClean).toBe(true);
  expect(anna.room).toBe(founder.room);
  expect(ben.room).not.toBe(founder.room);
  expect(await anna.give(ben)).toBe(false);
  expect(await founder.give(ben)).toBe(false);
  expect(ben.epochs.isMissing).toBe(true);
});

it('nobody but an admin changes the keys, and a member that writes an epoch all the same moves nobody', async () => {
  await publishes(anna);
  expect(await anna.rotate()).toBeUndefined();
  const { room } = founder;
  const { publicKey } = await webCryptography.newExchangePair();
  await anna.write({
    kind: 'epoch',
    as: 0,
    number: 1,
    parents: [],
    check: new Uint8Array(16),
    sender: publicKey,
    keys: [],
  });
  await anna.tell(founder);
  expect(founder.room).toBe(room);
});

it('a new page has all keys again, the current ones in use', async () => {
  await publishes(anna);
  await founder.rotate();
  await founder.rotate();
  await founder.tell(anna);
  const rooms = anna.keys.newestFirst.map(({ poolId }) => poolId);
  expect(rooms).toHaveLength(3);
  await anna.open();
  expect(anna.keys.newestFirst.map(({ poolId }) => poolId)).toEqual(rooms);
  expect(anna.room).toBe(founder.room);
  expect(anna.moves.at(-1)?.poolId).toBe(founder.room);
});

it('secrets that are not what their epoch says are not taken, whoever gives them', async () => {
  await publishes(anna);
  await founder.rotate();
  await founder.tell(ben);
  await publishes(ben);
  const epoch = founder.epochs.epochs().current?.id;
  if (epoch === undefined) throw new Error('there is an epoch');
  const liar = new Device(ANNA);
  liar.acts.follow(certain(founder.acts.charter));
  liar.acts.add(ben.acts.acts());
  liar.epochs.known = () => [{ epoch, secret: seededBytes(32, 66) }];
  expect(await liar.give(ben)).toBe(true);
  expect(ben.epochs.isMissing).toBe(true);
  expect(await founder.give(ben)).toBe(true);
  expect(ben.epochs.isMissing).toBe(false);
});

it('an epoch that was sealed while other acts came is sealed again', async () => {
  await publishes(anna);
  let isFirst = true;
  const written = await writeEpoch({
    cryptography: webCryptography,
    random: systemRandom,
    acts: founder.acts,
    self: founder.id,
    epochs: () => founder.epochs.epochs(),
    write: async (deed) => {
      if (isFirst) await publishes(ben);
      isFirst = false;
      return founder.write(deed());
    },
  });
  const body = written?.record.body;
  expect(body?.kind === 'epoch' ? body.keys.map(({ device }) => device).toSorted() : []).toEqual(
    [founder.id, anna.id, ben.id].toSorted(),
  );
});

function certain(id: EntryId | undefined): EntryId {
  if (id === undefined) throw new Error('there is no charter');
  return id;
}
