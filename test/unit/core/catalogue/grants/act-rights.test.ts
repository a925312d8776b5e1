// What entries may do by a pool's acts: whose files, names, removals and settings count, and up to where.

import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../../../src/core/catalogue/entry.ts';
import { ActRights } from '../../../../../src/core/catalogue/grants/act-rights.ts';
import { ActSet } from '../../../../../src/core/catalogue/grants/act-set.ts';
import type { LogPoint } from '../../../../../src/core/catalogue/grants/act-body.ts';
import type { CheckedAct } from '../../../../../src/core/catalogue/grants/act.ts';
import type { FileId } from '../../../../../src/core/model/ids.ts';
import { MAX_LOG_BYTES } from '../../../../../src/core/model/limits.ts';
import type { Identity } from '../../../../../src/core/ports.ts';
import { deviceAt, fileBody, manifestOf, write } from '../../../../fixtures/pool-fixture.ts';
import {
  charterBy,
  following,
  grantOf,
  shutOutOf,
  writeAct,
  type ActDeed,
} from '../../../../fixtures/signed-acts.ts';

const [FOUNDER, ANNA, BEN, CLEO] = [deviceAt(0), deviceAt(1), deviceAt(2), deviceAt(3)];

/** What a device knows: acts, and a catalogue that obeys them. */
class Knowing {
  readonly acts = new ActSet();
  readonly rights = new ActRights(this.acts);
  readonly catalogue = new Catalogue(undefined, MAX_LOG_BYTES, this.rights);

  constructor(charter: CheckedAct) {
    this.acts.follow(charter.record.id);
    this.add([charter]);
  }

  add(acts: readonly CheckedAct[]): void {
    this.acts.add(acts);
    this.catalogue.rightsChanged(this.rights.takeChanged());
  }

  files(): FileId[] {
    return Array.from(this.catalogue.listed(), ({ fileId }) => fileId).toSorted();
  }
}

/** Everything that was written in a pool. */
class World {
  readonly charter: CheckedAct;
  readonly acts: ActSet;
  readonly entries: CheckedEntry[] = [];
  /** All entries, whatever they may do. */
  readonly #all = new Catalogue();

  constructor(charter: CheckedAct) {
    this.charter = charter;
    this.acts = following(charter);
  }

  static async of(...members: readonly Identity[]): Promise<World> {
    return new World(await charterBy(FOUNDER, members));
  }

  write(by: Identity, body: EntryBody): LogPoint {
    return this.add(write(this.#all, by, 1_000 + this.entries.length, body));
  }

  store(by: Identity, label: string): FileId {
    const { body, fileId } = fileBody(label);
    this.add(write(this.#all, by, 1_000 + this.entries.length, body, manifestOf(by.deviceId)));
    return fileId;
  }

  add(entry: CheckedEntry): LogPoint {
    this.#all.add([entry]);
    this.entries.push(entry);
    return { seq: entry.entry.seq, entry: entry.entry.entryId };
  }

  headOf({ deviceId }: Identity): LogPoint {
    const { seq, prev } = this.#all.positionOf(deviceId, 0);
    if (prev === undefined) throw new Error('It wrote nothing.');
    return { seq: seq - 1, entry: prev };
  }

  async act(by: Identity, deed: ActDeed): Promise<CheckedAct> {
    const act = await writeAct(by, this.acts, deed);
    this.acts.add([act]);
    return act;
  }

  /** Listed files, the same whatever came first. */
  files(): FileId[] {
    const all = this.known(true);
    expect(this.known(false).files()).toEqual(all.files());
    return all.files();
  }

  known(areActsFirst = true): Knowing {
    const knowing = new Knowing(this.charter);
    if (areActsFirst) knowing.add(this.acts.acts());
    knowing.catalogue.add(this.entries);
    if (!areActsFirst) for (const act of this.acts.acts()) knowing.add([act]);
    return knowing;
  }
}

describe('a pool that was upgraded', () => {
  async function upgraded() {
    const before = await World.of();
    const [ofAnna, gone] = [before.store(ANNA, 'of Anna'), before.store(ANNA, 'gone')];
    before.write(BEN, { kind: 'remove', file: gone });
    before.write(BEN, { kind: 'pool', name: 'Home' });
    const world = new World(await charterBy(FOUNDER, [ANNA, BEN], (member) => before.headOf(member)));
    for (const entry of before.entries) world.add(entry);
    return { world, ofAnna, point: before.headOf(BEN) };
  }

  it('keeps what was removed, and set, by any member before', async () => {
    const { world, ofAnna } = await upgraded();
    expect(world.files()).toEqual([ofAnna]);
    expect(world.known().catalogue.poolName).toBe('Home');
  });

  it('lets members remove what others stored no more', async () => {
    const { world, ofAnna } = await upgraded();
    world.write(BEN, { kind: 'remove', file: ofAnna });
    world.write(BEN, { kind: 'pool', name: 'mine' });
    expect(world.files()).toEqual([ofAnna]);
    expect(world.known().catalogue.poolName).toBe('Home');
  });

  it('keeps all of that of a member who is shut out, or made a reader, even if that was not known', async () => {
    for (const deed of [shutOutOf(BEN), grantOf(BEN, 'reader')]) {
      const { world, ofAnna } = await upgraded();
      await world.act(FOUNDER, deed);
      expect(world.files()).toEqual([ofAnna]);
    }
  });

  it('has no room for another branch of a log before the point', async () => {
    const { world, ofAnna } = await upgraded();
    world.add(write(new Catalogue(), BEN, 1, { kind: 'remove', file: ofAnna }));
    expect(world.files()).toEqual([ofAnna]);
  });
});

describe('a reader', () => {
  it('stores, names, removes and sets nothing', async () => {
    const world = await World.of(ANNA, BEN);
    const file = world.store(BEN, 'of a member');
    await world.act(FOUNDER, grantOf(ANNA, 'reader'));
    world.store(ANNA, 'of a reader');
    world.write(ANNA, { kind: 'remove', file });
    world.write(ANNA, { kind: 'pool', name: 'mine' });
    world.write(ANNA, { kind: 'policy', parts: { repairShare: 1 } });
    expect(world.files()).toEqual([file]);
    const { catalogue } = world.known();
    expect([catalogue.poolName, catalogue.policy.repairShare]).toEqual(['', 0.2]);
  });

  it('keeps what it stored before it became one, up to the point that the grant names', async () => {
    const world = await World.of(ANNA);
    const before = world.store(ANNA, 'before');
    await world.act(FOUNDER, { ...grantOf(ANNA, 'reader'), after: world.headOf(ANNA) } as ActDeed);
    world.store(ANNA, 'after');
    expect(world.files()).toEqual([before]);
  });

  it('cannot make a new branch of its log before the point', async () => {
    const world = await World.of(ANNA);
    const before = world.store(ANNA, 'before');
    await world.act(FOUNDER, { ...grantOf(ANNA, 'reader'), after: world.headOf(ANNA) } as ActDeed);
    const { body } = fileBody('backdated');
    world.add(write(new Catalogue(), ANNA, 1, body, manifestOf(ANNA.deviceId)));
    expect(world.files()).toEqual([before]);
  });
});

describe('a member', () => {
  it('takes away names that it gave, and no others; an admin takes away all', async () => {
    const world = await World.of(ANNA, BEN);
    const [own, other] = [world.store(ANNA, 'own'), world.store(BEN, 'other')];
    world.write(ANNA, { kind: 'remove', file: own });
    world.write(ANNA, { kind: 'remove', file: other });
    world.write(ANNA, { kind: 'unname', file: other });
    expect(world.files()).toEqual([other]);
    expect(world.known().catalogue.isRemovedForAll(own)).toBe(true);
    world.write(FOUNDER, { kind: 'remove', file: other });
    expect(world.files()).toEqual([]);
  });

  it('gains nothing for what it wrote before it became an admin', async () => {
    const world = await World.of(ANNA, BEN);
    const file = world.store(BEN, 'other');
    world.write(ANNA, { kind: 'remove', file });
    await world.act(FOUNDER, { ...grantOf(ANNA, 'admin'), after: world.headOf(ANNA) } as ActDeed);
    expect(world.files()).toEqual([file]);
    world.write(ANNA, { kind: 'remove', file });
    expect(world.files()).toEqual([]);
  });
});

describe('a device that is shut out', () => {
  it('has what it stored up to the last entry that counts, and no later file or removal', async () => {
    const world = await World.of(ANNA, BEN);
    const [mine, theirs] = [world.store(ANNA, 'mine'), world.store(BEN, 'theirs')];
    const removed = world.store(ANNA, 'removed');
    world.write(ANNA, { kind: 'remove', file: removed });
    await world.act(FOUNDER, { ...shutOutOf(ANNA), last: world.headOf(ANNA) } as ActDeed);
    world.store(ANNA, 'later');
    world.write(ANNA, { kind: 'remove', file: mine });
    expect(world.files()).toEqual([mine, theirs].toSorted());
  });

  it('undoes nothing by a backdated branch, not even a removal of its own files', async () => {
    const world = await World.of(ANNA);
    const file = world.store(ANNA, 'mine');
    world.store(ANNA, 'second');
    await world.act(FOUNDER, { ...shutOutOf(ANNA), last: world.headOf(ANNA) } as ActDeed);
    const branch = new Catalogue();
    branch.add(world.entries.slice(0, 1));
    world.add(write(branch, ANNA, 1_001, { kind: 'remove', file }));
    expect(world.files()).toHaveLength(2);
  });

  it('has no file where the shut-out names no entry, until somebody keeps them, or takes it back', async () => {
    const world = await World.of(ANNA);
    const [first, second] = [world.store(ANNA, 'first'), world.store(ANNA, 'second')];
    const last = world.headOf(ANNA);
    await world.act(FOUNDER, shutOutOf(ANNA));
    const { catalogue } = world.known();
    expect(world.files()).toEqual([]);
    expect([catalogue.isHidden(first), catalogue.manifestOf(first)?.by]).toEqual([true, ANNA.deviceId]);
    await world.act(FOUNDER, { kind: 'keep', as: 0, device: ANNA.deviceId, last });
    expect(world.files()).toEqual([first, second].toSorted());
    const third = world.store(ANNA, 'third');
    expect(world.files()).not.toContain(third);
    await world.act(FOUNDER, grantOf(ANNA, 'member'));
    expect(world.files()).toContain(third);
    expect(world.known().catalogue.isHidden(third)).toBe(false);
  });

  it('by two admins apart keeps its files up to the later point, and removals up to the earlier', async () => {
    const world = await World.of(ANNA, BEN);
    await world.act(FOUNDER, grantOf(BEN, 'admin'));
    const early = world.store(ANNA, 'early');
    const first = world.headOf(ANNA);
    const between = world.store(ANNA, 'between');
    world.write(ANNA, { kind: 'remove', file: early });
    const apart = following(world.charter);
    apart.add(world.acts.acts());
    const later = await writeAct(BEN, apart, { ...shutOutOf(ANNA, 1), last: world.headOf(ANNA) } as ActDeed);
    await world.act(FOUNDER, { ...shutOutOf(ANNA), last: first } as ActDeed);
    expect(world.files()).toEqual([early]);
    world.acts.add([later]);
    expect(world.files()).toEqual([early, between].toSorted());
  });

  it('is no member and counts as gone', async () => {
    const world = await World.of(ANNA, BEN);
    for (const device of [ANNA, BEN]) world.write(device, { kind: 'profile', name: 'A phone' });
    await world.act(FOUNDER, { ...shutOutOf(ANNA), last: world.headOf(ANNA) } as ActDeed);
    const { catalogue } = world.known();
    expect(catalogue.members()).toEqual([BEN.deviceId]);
    expect([catalogue.hasLeft(ANNA.deviceId), catalogue.deviceName(ANNA.deviceId)]).toEqual([
      true,
      'A phone',
    ]);
  });
});

it('an identity that nobody admitted says nothing', async () => {
  const world = await World.of(ANNA);
  world.store(CLEO, 'of nobody');
  world.write(CLEO, { kind: 'profile', name: 'Cleo' });
  expect(world.files()).toEqual([]);
  const { catalogue, rights } = world.known();
  expect([catalogue.members(), rights.isKnown(CLEO.deviceId)]).toEqual([[], false]);
});

it('a pool without a charter is as it was', () => {
  const rights = new ActRights(new ActSet());
  const catalogue = new Catalogue(undefined, MAX_LOG_BYTES, rights);
  const { body, fileId } = fileBody('a file');
  catalogue.add([write(catalogue, ANNA, 1, body, manifestOf(ANNA.deviceId))]);
  expect(catalogue.files().has(fileId)).toBe(true);
  catalogue.add([write(catalogue, BEN, 2, { kind: 'remove', file: fileId })]);
  expect(catalogue.files().has(fileId)).toBe(false);
  expect(rights.isKnown(CLEO.deviceId)).toBe(true);
});
