// Parts of a pool that become one: what a part's offer may give in the pool that takes it in, to whom acts
// of other parts are told, and when a device of the part follows. Attacked by admins of the part, and by
// members of either.

import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../../../src/core/catalogue/entry.ts';
import { checkAct, type CheckedAct } from '../../../../../src/core/catalogue/grants/act.ts';
import type { LogStretch, OfferedMember } from '../../../../../src/core/catalogue/grants/act-body.ts';
import { ActRights } from '../../../../../src/core/catalogue/grants/act-rights.ts';
import { ActSet } from '../../../../../src/core/catalogue/grants/act-set.ts';
import { openOffers } from '../../../../../src/core/catalogue/grants/part-joins.ts';
import type { DeviceId, FileId } from '../../../../../src/core/model/ids.ts';
import { MAX_CHARTERS, MAX_LOG_BYTES } from '../../../../../src/core/model/limits.ts';
import type { Identity } from '../../../../../src/core/ports.ts';
import {
  deviceAt,
  fileBody,
  itemAt,
  manifestOf,
  POOL_KEYS,
  write,
} from '../../../../fixtures/pool-fixture.ts';
import {
  admitOf,
  charterBy,
  following,
  grantOf,
  shutOutOf,
  writeAct,
  type ActDeed,
} from '../../../../fixtures/signed-acts.ts';

/** Of the pool; of the part; and one that only the part knows. */
const [FOUNDER, BEN] = [deviceAt(0), deviceAt(1)];
const [ANNA, CLEO, DAN] = [deviceAt(2), deviceAt(3), deviceAt(4)];
const [NEWCOMER, STRANGER] = [deviceAt(5), deviceAt(6)];

async function did(set: ActSet, by: Identity, deed: ActDeed): Promise<CheckedAct> {
  const { record } = await writeAct(by, set, deed);
  const act = await checkAct(record.bytes, POOL_KEYS.poolId, webCryptography);
  set.add([act]);
  return act;
}

interface TwoParts {
  /** As a device of the pool, and of the part, knows it. */
  readonly pool: ActSet;
  readonly part: ActSet;
  readonly to: CheckedAct;
  readonly from: CheckedAct;
}

/** The charter of each names the other's devices. Cleo, Dan and Ben follow. */
async function twoParts(): Promise<TwoParts> {
  const to = await charterBy(FOUNDER, [BEN, ANNA, CLEO, DAN]);
  const from = await charterBy(ANNA, [FOUNDER, BEN, CLEO, DAN]);
  const [pool, part] = [new ActSet(FOUNDER.deviceId), new ActSet(CLEO.deviceId)];
  for (const [set, own, other] of [
    [pool, to, from],
    [part, from, to],
  ] as const) {
    set.follow(own.record.id);
    set.add([own, other]);
  }
  await did(pool, BEN, { kind: 'merge' });
  for (const device of [CLEO, DAN]) await did(part, device, { kind: 'merge' });
  return { pool, part, to, from };
}

function offerOf({ from, to }: TwoParts, members: readonly OfferedMember[]): ActDeed {
  return { kind: 'offer', as: 0, from: from.record.id, charter: to.record.id, members, epochs: [] };
}

function named(
  { deviceId: device }: Identity,
  role?: 'member' | 'reader',
  ...stretches: LogStretch[]
): OfferedMember {
  return { device, role, stretches };
}

async function takenIn(parts: TwoParts, ...members: OfferedMember[]): Promise<CheckedAct> {
  const offer = await did(parts.part, ANNA, offerOf(parts, members));
  return did(parts.pool, FOUNDER, { kind: 'take-in', as: 0, offer: offer.record.bytes });
}

function roleOf({ pool }: TwoParts, { deviceId }: Identity): string {
  return pool.roleOf(deviceId) ?? (pool.isOut(deviceId) ? 'out' : 'nobody');
}

describe('a take-in', () => {
  it('is read and written again, with what it takes in', async () => {
    const parts = await twoParts();
    const point = { seq: 3, entry: parts.to.record.id };
    const members = [named(CLEO, 'reader', { right: 'admin', point }, { right: 'none', point })];
    const epochs = [{ epoch: parts.to.record.id, number: 7, check: new Uint8Array(16).fill(9) }];
    const deed = { ...offerOf(parts, members), epochs } as ActDeed;
    const offer = await did(parts.part, ANNA, deed);
    expect(offer.record.body).toMatchObject({ ...deed, kind: 'offer' });
    const act = await did(parts.pool, FOUNDER, { kind: 'take-in', as: 0, offer: offer.record.bytes });
    expect(act.takesIn).toMatchObject({ offer: offer.record.id, members, epochs });
  });

  it.each<[string, (offer: CheckedAct, parts: TwoParts) => Uint8Array]>([
    [
      'whose offer nobody signed',
      ({ record }) => record.bytes.map((byte, at) => (at === record.bytes.length - 1 ? byte ^ 1 : byte)),
    ],
    ['whose offer is another act', (_, { from }) => from.record.bytes],
    ['whose offer is no record', () => new Uint8Array([1, 2, 3])],
  ])('%s is kept, and takes nobody in', async (_, change) => {
    const parts = await twoParts();
    const offer = await did(parts.part, ANNA, offerOf(parts, [named(NEWCOMER, 'member')]));
    const act = await did(parts.pool, FOUNDER, { kind: 'take-in', as: 0, offer: change(offer, parts) });
    expect(parts.pool.find(act.record.id)).toBeDefined();
    expect(act.takesIn).toBe(undefined);
    expect(roleOf(parts, NEWCOMER)).toBe('nobody');
  });

  it('of an offer to somebody else, and of an admin who is not the first, takes nobody in', async () => {
    const parts = await twoParts();
    const members = [named(NEWCOMER, 'member')];
    const elsewhere = { ...offerOf(parts, members), charter: parts.from.record.id } as ActDeed;
    const offer = await did(parts.part, ANNA, elsewhere);
    await did(parts.pool, FOUNDER, { kind: 'take-in', as: 0, offer: offer.record.bytes });
    await did(parts.pool, FOUNDER, grantOf(BEN, 'admin'));
    const right = await did(parts.part, ANNA, offerOf(parts, members));
    for (const as of [0, 1]) await did(parts.pool, BEN, { kind: 'take-in', as, offer: right.record.bytes });
    expect(roleOf(parts, NEWCOMER)).toBe('nobody');
    // Nor may it fill the disks with logs of strangers.
    expect(parts.pool.members().has(NEWCOMER.deviceId)).toBe(false);
  });

  it('makes nobody an admin, brings nobody back, and raises nobody whom the pool lowered', async () => {
    const parts = await twoParts();
    for (const device of [CLEO, STRANGER]) await did(parts.pool, FOUNDER, shutOutOf(device));
    await did(parts.pool, FOUNDER, grantOf(DAN, 'reader'));
    const members = [ANNA, CLEO, DAN, NEWCOMER].map((device) => named(device, 'member'));
    await takenIn(parts, ...members, named(STRANGER, 'reader'));
    expect([ANNA, CLEO, DAN, NEWCOMER, STRANGER].map((device) => roleOf(parts, device))).toEqual([
      'member',
      'out',
      'reader',
      'member',
      'out',
    ]);
  });

  it('lowers whom the part lowered, and lets the pool’s admins give roles again', async () => {
    const parts = await twoParts();
    await takenIn(parts, named(CLEO, 'reader'), named(NEWCOMER, undefined));
    expect([CLEO, NEWCOMER].map((device) => roleOf(parts, device))).toEqual(['reader', 'nobody']);
    await did(parts.pool, FOUNDER, grantOf(CLEO, 'admin'));
    expect(roleOf(parts, CLEO)).toBe('admin');
  });

  it('says nothing of who is of the pool already', async () => {
    const parts = await twoParts();
    await did(parts.pool, FOUNDER, grantOf(BEN, 'admin'));
    await takenIn(parts, named(BEN, 'reader'), named(FOUNDER, 'reader'));
    expect([BEN, FOUNDER].map((device) => roleOf(parts, device))).toEqual(['admin', 'admin']);
  });
});

it('leaves nobody out because a member wrote the part’s admit of that device into the pool', async () => {
  const parts = await twoParts();
  const who = { issuer: ANNA, invite: STRANGER, newcomer: NEWCOMER, admitter: BEN };
  const again = await did(parts.pool, BEN, await admitOf(parts.from.record.id, 'member', who));
  expect([again.terms?.device, roleOf(parts, NEWCOMER)]).toEqual([NEWCOMER.deviceId, 'nobody']);
  // What counts builds on it, so the founder has seen it.
  await did(parts.pool, BEN, { kind: 'merge' });
  await takenIn(parts, named(NEWCOMER, 'member'));
  expect(roleOf(parts, NEWCOMER)).toBe('member');
});

describe('what was written in a part that was taken in', () => {
  /** Both sides' entries, and files as the pool has them. */
  class Log {
    readonly all = new Catalogue();
    readonly entries: CheckedEntry[] = [];

    write(by: Identity, body: EntryBody): LogStretch['point'] {
      return this.#add(write(this.all, by, 1_000 + this.entries.length, body));
    }

    store(by: Identity, label: string): FileId {
      const { body, fileId } = fileBody(label);
      this.#add(write(this.all, by, 1_000 + this.entries.length, body, manifestOf(by.deviceId)));
      return fileId;
    }

    /** Whichever comes first, the acts or the entries. */
    filesBy({ pool }: TwoParts): { readonly files: FileId[]; readonly name: string } {
      const [acts, entries] = [following(itemAt(pool.acts(), 0)), following(itemAt(pool.acts(), 0))].map(
        (set) => {
          const rights = new ActRights(set);
          const catalogue = new Catalogue(undefined, MAX_LOG_BYTES, rights);
          return { set, rights, catalogue };
        },
      ) as [KnownPool, KnownPool];
      acts.set.add(pool.acts());
      acts.catalogue.rightsChanged(acts.rights.takeChanged());
      acts.catalogue.add(this.entries);
      entries.catalogue.add(this.entries);
      entries.set.add(pool.acts());
      entries.catalogue.rightsChanged(entries.rights.takeChanged());
      // What was refused while its device was unknown is asked for again.
      entries.catalogue.add(this.entries);
      expect(listed(entries)).toEqual(listed(acts));
      return { files: listed(acts), name: acts.catalogue.poolName };
    }

    #add(entry: CheckedEntry): LogStretch['point'] {
      this.all.add([entry]);
      this.entries.push(entry);
      return { seq: entry.entry.seq, entry: entry.entry.entryId };
    }
  }

  interface KnownPool {
    readonly set: ActSet;
    readonly rights: ActRights;
    readonly catalogue: Catalogue;
  }

  function listed({ catalogue }: KnownPool): FileId[] {
    return Array.from(catalogue.listed(), ({ fileId }) => fileId).toSorted();
  }

  it('counts as it did there, up to the end of each stretch: no removed file returns, no other is lost', async () => {
    const [parts, log] = [await twoParts(), new Log()];
    const [one, two, three, four] = ['1', '2', '3', '4'].map((label) => log.store(CLEO, label)) as [
      FileId,
      FileId,
      FileId,
      FileId,
    ];
    // As a member, without effect; as an admin; and after the offer.
    const member = log.write(ANNA, { kind: 'remove', file: one });
    const admin = log.write(ANNA, { kind: 'remove', file: two });
    log.write(ANNA, { kind: 'remove', file: three });
    const [own] = [log.write(CLEO, { kind: 'remove', file: four })];
    await takenIn(
      parts,
      named(ANNA, 'member', { right: 'member', point: member }, { right: 'admin', point: admin }),
      named(CLEO, 'member', { right: 'member', point: own }),
    );
    expect(log.filesBy(parts).files).toEqual([one, three].toSorted());
  });

  it('has the files of a device that came and went there, and nothing that it wrote after', async () => {
    const [parts, log] = [await twoParts(), new Log()];
    const kept = log.store(NEWCOMER, 'kept');
    const point = log.write(NEWCOMER, { kind: 'profile', name: 'New' });
    log.store(NEWCOMER, 'later');
    await takenIn(parts, named(NEWCOMER, undefined, { right: 'member', point }));
    expect(log.filesBy(parts).files).toEqual([kept]);
  });

  it('changes no settings of the pool, and gives its members no rights that they had not', async () => {
    const [parts, log] = [await twoParts(), new Log()];
    const file = log.store(FOUNDER, 'of the pool');
    const set = log.write(ANNA, { kind: 'pool', name: 'of the part' });
    const removed = log.write(BEN, { kind: 'remove', file });
    await takenIn(
      parts,
      named(ANNA, 'member', { right: 'admin', point: set }),
      named(BEN, 'member', { right: 'admin', point: removed }),
    );
    expect(log.filesBy(parts)).toEqual({ files: [file], name: '' });
  });
});

describe('acts of another part', () => {
  it('are told to devices that are in, of the part that is meant, and to nobody else', async () => {
    const parts = await twoParts();
    const { pool, part } = parts;
    const told = (device: DeviceId, marks = pool.marks()): number => part.tellingAcross(device, marks).length;
    expect(told(BEN.deviceId)).toBe(1);
    await did(part, ANNA, offerOf(parts, [named(CLEO, 'member')]));
    expect(told(BEN.deviceId)).toBe(part.acts().length);
    expect(told(STRANGER.deviceId)).toBe(1);
    expect(told(BEN.deviceId, following(await charterBy(STRANGER)).marks())).toBe(1);
    await did(part, ANNA, shutOutOf(BEN));
    expect(told(BEN.deviceId)).toBe(1);
  });

  it('are kept by who needs them: the first admin who may take the part in, and who is offered', async () => {
    const parts = await twoParts();
    const { pool, part, to, from } = parts;
    await did(part, ANNA, offerOf(parts, [named(CLEO, 'member')]));
    const first = following(to);
    const founder = new ActSet(FOUNDER.deviceId);
    founder.follow(to.record.id);
    for (const set of [first, founder]) set.add([to, from, ...part.acts()]);
    expect(first.parts.actsOf(from.record.id)).toHaveLength(1);
    expect(founder.parts.actsOf(from.record.id)).toHaveLength(part.acts().length);
    // They have no effect of their own.
    expect([first, founder].map((set) => set.acts().length)).toEqual([1, 1]);
    part.add(pool.acts());
    expect(part.parts.actsOf(to.record.id)).toHaveLength(pool.acts().length);
  });

  it('of a device that is in are kept, however many charters strangers made up', async () => {
    const { pool, from } = await twoParts();
    const set = following(itemAt(pool.acts(), 0));
    for (let at = 0; at < MAX_CHARTERS; at++) set.add([await charterBy(STRANGER, [deviceAt(at)])]);
    set.add([from]);
    expect(set.parts.charters().slice(MAX_CHARTERS - 1)).toEqual([from]);
  });

  it('of a charter by a stranger are not kept', async () => {
    const { pool } = await twoParts();
    const theirs = await charterBy(STRANGER);
    const set = following(theirs);
    await did(set, STRANGER, { kind: 'merge' });
    pool.add(set.acts());
    expect(pool.parts.actsOf(theirs.record.id)).toHaveLength(1);
  });
});

describe('a device of the part follows the pool', () => {
  async function offered(members = [ANNA, CLEO, DAN]): Promise<TwoParts> {
    const parts = await twoParts();
    const offer = await did(
      parts.part,
      ANNA,
      offerOf(
        parts,
        members.map((device) => named(device, 'member')),
      ),
    );
    await did(parts.pool, FOUNDER, { kind: 'take-in', as: 0, offer: offer.record.bytes });
    return parts;
  }

  function successor({ pool, part }: TwoParts, self: Identity = CLEO): boolean {
    part.add(pool.acts());
    return part.successor(self.deviceId) !== undefined;
  }

  it('once it was taken in there', async () => {
    const parts = await offered();
    expect(parts.part.successor(CLEO.deviceId)).toBe(undefined);
    expect(successor(parts)).toBe(true);
  });

  it('and not while it is out there itself', async () => {
    const parts = await offered();
    await did(parts.pool, FOUNDER, shutOutOf(CLEO));
    expect([CLEO, DAN].map((device) => successor(parts, device))).toEqual([false, true]);
  });

  it('and not after the offer was taken back, or by an offer of who had no right to it', async () => {
    const parts = await offered();
    const { from } = parts;
    const back = { ...offerOf(parts, []), charter: from.record.id } as ActDeed;
    await did(parts.part, ANNA, back);
    expect(parts.part.own && openOffers(parts.part.own)).toEqual([]);
    expect(successor(parts)).toBe(false);
    const other = await twoParts();
    const forged = await did(other.part, DAN, offerOf(other, [named(CLEO, 'member')]));
    await did(other.pool, FOUNDER, { kind: 'take-in', as: 0, offer: forged.record.bytes });
    expect(successor(other)).toBe(false);
  });

  it('and not while somebody is in there who is out here, or more there than a reader here', async () => {
    const parts = await offered();
    await did(parts.part, ANNA, shutOutOf(DAN));
    expect(successor(parts)).toBe(false);
    const move = () => parts.part.moveTo(parts.to.record.id, CLEO.deviceId)?.waitsFor;
    expect(move()).toEqual([DAN.deviceId]);
    await did(parts.pool, FOUNDER, shutOutOf(DAN));
    expect(successor(parts)).toBe(true);
    await did(parts.part, ANNA, grantOf(CLEO, 'reader'));
    expect(successor(parts)).toBe(false);
    expect(move()).toEqual([CLEO.deviceId]);
    await did(parts.pool, FOUNDER, grantOf(CLEO, 'reader'));
    expect(successor(parts)).toBe(true);
  });

  it('unless its part took in the pool as well, and has the smaller charter', async () => {
    const parts = await offered();
    const { pool, part, to, from } = parts;
    const back: ActDeed = {
      ...offerOf(parts, [named(BEN, 'member')]),
      from: to.record.id,
      charter: from.record.id,
    } as ActDeed;
    const offer = await did(pool, FOUNDER, back);
    await did(part, ANNA, { kind: 'take-in', as: 0, offer: offer.record.bytes });
    pool.add(part.acts());
    expect(successor(parts)).toBe(to.record.id < from.record.id);
    expect(pool.successor(BEN.deviceId) !== undefined).toBe(from.record.id < to.record.id);
  });
});
