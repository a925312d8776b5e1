// What a device knows of who may what: which acts it keeps, what it sends, and what it names as seen.

import { describe, expect, it } from 'vitest';
import { ActSet } from '../../../../../src/core/catalogue/grants/act-set.ts';
import { decodeAct, type CheckedAct } from '../../../../../src/core/catalogue/grants/act.ts';
import type { AdmitTerms } from '../../../../../src/core/catalogue/grants/act-body.ts';
import vectors from '../../../../vectors/act.json' with { type: 'json' };
import { bytesOfHex } from '../../../../fixtures/erasure-oracle.ts';
import { MAX_CHARTERS } from '../../../../../src/core/model/limits.ts';
import { deviceAt, itemAt } from '../../../../fixtures/pool-fixture.ts';
import {
  charterBy,
  following,
  grantOf,
  shutOutOf,
  writeAct,
  type ActDeed,
} from '../../../../fixtures/signed-acts.ts';
import type { Identity } from '../../../../../src/core/ports.ts';
import type { Role } from '../../../../../src/core/model/role.ts';

const FOUNDER = deviceAt(0);
const ANNA = deviceAt(1);
const BEN = deviceAt(2);
const CLEO = deviceAt(3);
const DAN = deviceAt(4);

async function did(set: ActSet, by: Identity, deed: ActDeed, terms?: AdmitTerms): Promise<CheckedAct> {
  const act = await writeAct(by, set, deed, terms === undefined ? {} : { terms });
  set.add([act]);
  return act;
}

const { exchange: EXCHANGE } = itemAt(
  vectors.acts.flatMap(({ record }) => {
    const { body } = decodeAct(bytesOfHex(record));
    return body.kind === 'admit' ? body : [];
  }),
  0,
);

const ADMIT: ActDeed = {
  kind: 'admit',
  ticket: new Uint8Array(1),
  key: new Uint8Array(32),
  exchange: EXCHANGE,
  proof: new Uint8Array(64),
  consent: new Uint8Array(64),
};

function termsOf(
  charter: CheckedAct,
  newcomer: Identity,
  change: Partial<AdmitTerms> & { role?: Role } = {},
): AdmitTerms {
  return {
    device: newcomer.deviceId,
    role: 'member',
    issuer: FOUNDER.deviceId,
    charter: charter.record.id,
    invite: '01'.repeat(32),
    uses: 1,
    isInTime: true,
    ...change,
  };
}

const WITHDRAWN: ActDeed = { kind: 'withdraw', as: 0, invite: new Uint8Array(32).fill(1) };

describe('a device that follows no charter', () => {
  it('takes everybody for an admin, and keeps some charters without effect', async () => {
    const set = new ActSet();
    const charters = await Promise.all(Array.from({ length: 8 }, (_, at) => charterBy(deviceAt(at))));
    const withMembers = await charterBy(FOUNDER, [ANNA]);
    expect(set.add([...charters, withMembers])).toHaveLength(MAX_CHARTERS);
    expect(set.add([await writeAct(FOUNDER, following(itemAt(charters, 0)), shutOutOf(ANNA))])).toEqual([]);
    expect([set.isIn(ANNA.deviceId), set.roleOf(ANNA.deviceId)]).toEqual([true, 'admin']);
  });

  it('has of all only what the charter says once it follows one', async () => {
    const set = new ActSet();
    const [charter, other] = [await charterBy(FOUNDER, [ANNA]), await charterBy(BEN, [ANNA])];
    set.add([charter, other]);
    set.follow(charter.record.id);
    expect(set.acts()).toEqual([charter]);
    expect([FOUNDER, ANNA, BEN].map(({ deviceId }) => set.roleOf(deviceId))).toEqual([
      'admin',
      'member',
      undefined,
    ]);
    expect(set.add([other])).toEqual([]);
    expect(() => set.follow(other.record.id)).toThrow('another charter');
  });
});

describe('parts of a pool that were upgraded apart', () => {
  it('know each other by what acts they have, and nobody else', async () => {
    const [own, other] = [await charterBy(FOUNDER, [ANNA]), await charterBy(ANNA, [FOUNDER])];
    const [here, there] = [following(own), following(other)];
    await did(here, FOUNDER, grantOf(BEN, 'member'));
    await did(there, ANNA, grantOf(CLEO, 'member'));
    expect([here.isOther(there.marks()), there.isOther(here.marks())]).toEqual([true, true]);
    const newcomer = following(own);
    expect([here.isOther(newcomer.marks()), newcomer.isOther(here.marks())]).toEqual([false, false]);
    // One that lost its acts, and one that follows no charter.
    expect(here.isOther(new Uint8Array(0))).toBe(false);
    expect(here.isOther(there.marks().subarray(0, 15))).toBe(false);
    expect(new ActSet().isOther(there.marks())).toBe(false);
  });

  it('keep some charters of each other, without effect', async () => {
    const own = await charterBy(FOUNDER, [ANNA, BEN]);
    const here = following(own);
    const before = [here.digest(), here.marks().length];
    for (let at = 0; at < MAX_CHARTERS + 3; at++) {
      const members = [[], [ANNA], [FOUNDER, ANNA]][Math.floor(at / 5)];
      const other = await charterBy(deviceAt(2 + (at % 5)), members);
      expect(here.add([other])).toEqual([]);
    }
    expect(here.charters()).toHaveLength(MAX_CHARTERS);
    expect([here.digest(), here.marks().length]).toEqual(before);
    expect(here.roleOf(BEN.deviceId)).toBe('member');
  });
});

describe('two devices that exchange what is missing', () => {
  it('end with the same acts and the same digest, whatever came first', async () => {
    const charter = await charterBy(FOUNDER, [ANNA, BEN]);
    const [one, other] = [following(charter), following(charter)];
    const grant = await did(one, FOUNDER, grantOf(ANNA, 'admin'));
    other.add([grant]);
    await did(one, ANNA, grantOf(BEN, 'reader', 1));
    await did(other, FOUNDER, grantOf(BEN, 'admin', 0, 2));
    expect(one.digest()).not.toBe(other.digest());
    const forOther = one.missingFor(other.marks());
    one.add(other.missingFor(one.marks()));
    other.add(forOther.toReversed());
    expect(one.digest()).toBe(other.digest());
    expect(one.missingFor(other.marks())).toEqual([]);
    expect(one.roleOf(BEN.deviceId)).toBe('reader');
    expect(other.roleOf(BEN.deviceId)).toBe('reader');
  });
});

describe('the next act', () => {
  it('follows the writer’s last, and names only what counts', async () => {
    const charter = await charterBy(FOUNDER, [ANNA, BEN]);
    const set = following(charter);
    const grant = await did(set, FOUNDER, grantOf(ANNA, 'admin'));
    await did(set, BEN, grantOf(BEN, 'admin'));
    expect(set.roleOf(BEN.deviceId)).toBe('member');
    expect(set.positionOf(ANNA.deviceId)).toEqual({ seq: 1, prev: undefined, seen: [grant.record.id] });
    const out = await did(set, ANNA, shutOutOf(BEN, 1));
    expect(set.isOut(BEN.deviceId)).toBe(true);
    expect(set.positionOf(ANNA.deviceId)).toEqual({ seq: 2, prev: out.record.id, seen: [out.record.id] });
  });

  it('names what gives its writer the right first, when there is too much to name', async () => {
    const charter = await charterBy(FOUNDER, [ANNA, BEN]);
    const set = following(charter);
    await did(set, FOUNDER, grantOf(BEN, 'admin'));
    const grant = await did(set, BEN, grantOf(ANNA, 'admin', 1));
    for (let at = 0; at < 20; at++) {
      // By one who stands above all others, and knew nothing of them.
      const alone = following(charter);
      set.add([await writeAct(FOUNDER, alone, { kind: 'merge' }, { atMs: 1_790_000_000_000 + at })]);
    }
    const { seen } = set.positionOf(ANNA.deviceId);
    expect(seen).toHaveLength(16);
    expect(seen).toContain(grant.record.id);
  });
});

describe('an admit', () => {
  it('lets a newcomer in, who may admit others, until one of them is shut out', async () => {
    const charter = await charterBy(FOUNDER);
    const set = following(charter);
    await did(set, FOUNDER, ADMIT, termsOf(charter, ANNA));
    await did(set, ANNA, ADMIT, termsOf(charter, BEN, { role: 'reader', invite: '02'.repeat(32) }));
    await did(set, BEN, ADMIT, termsOf(charter, CLEO, { invite: '03'.repeat(32) }));
    expect([ANNA, BEN, CLEO].map(({ deviceId }) => set.roleOf(deviceId))).toEqual([
      'member',
      'reader',
      undefined,
    ]);
    await did(set, FOUNDER, shutOutOf(ANNA));
    expect([ANNA, BEN].map(({ deviceId }) => set.roleOf(deviceId))).toEqual([undefined, 'reader']);
  });

  it('is void where the one who wrote it, or the invite’s issuer, was shut out without its knowledge', async () => {
    const charter = await charterBy(FOUNDER, [ANNA, BEN]);
    const set = following(charter);
    await did(set, FOUNDER, grantOf(ANNA, 'admin'));
    const hidden = following(charter);
    hidden.add(set.missingFor(hidden.marks()));
    const byIssuer = await did(hidden, BEN, ADMIT, termsOf(charter, CLEO, { issuer: ANNA.deviceId }));
    await did(set, FOUNDER, shutOutOf(ANNA));
    set.add([byIssuer]);
    expect(set.isIn(CLEO.deviceId)).toBe(false);
    const back = await did(hidden, ANNA, ADMIT, termsOf(charter, DAN, { invite: '05'.repeat(32) }));
    set.add([back]);
    expect(set.isIn(DAN.deviceId)).toBe(false);
  });

  it('never makes an admin, and raises nobody whom a grant made less', async () => {
    const charter = await charterBy(FOUNDER, [ANNA]);
    const set = following(charter);
    await did(set, FOUNDER, grantOf(ANNA, 'reader'));
    await did(set, FOUNDER, ADMIT, termsOf(charter, ANNA, { role: 'admin' }));
    await did(set, FOUNDER, ADMIT, termsOf(charter, BEN, { role: 'admin', invite: '06'.repeat(32) }));
    expect([ANNA, BEN].map(({ deviceId }) => set.roleOf(deviceId))).toEqual(['reader', 'member']);
  });

  it('does not count past the invite’s uses, its time, or its withdrawal', async () => {
    const charter = await charterBy(FOUNDER, [ANNA, BEN]);
    const set = following(charter);
    const apart = following(charter);
    await did(set, ANNA, ADMIT, termsOf(charter, CLEO));
    await did(set, BEN, ADMIT, termsOf(charter, DAN));
    expect([CLEO, DAN].map(({ deviceId }) => set.isIn(deviceId))).toEqual([true, false]);
    // Two parts of a pool that did not know of each other: both stand.
    set.add([await did(apart, BEN, ADMIT, termsOf(charter, DAN))]);
    expect(set.isIn(DAN.deviceId)).toBe(true);
    const late = termsOf(charter, deviceAt(5), { isInTime: false, invite: '07'.repeat(32) });
    await did(set, FOUNDER, ADMIT, late);
    expect(set.isIn(deviceAt(5).deviceId)).toBe(false);
    await did(set, FOUNDER, WITHDRAWN);
    expect([CLEO, DAN].map(({ deviceId }) => set.isIn(deviceId))).toEqual([true, true]);
    set.add([await did(apart, ANNA, ADMIT, termsOf(charter, deviceAt(6), { uses: 9 }))]);
    expect(set.isIn(deviceAt(6).deviceId)).toBe(false);
  });

  it('by an invite of another pool lets nobody in', async () => {
    const [charter, other] = [await charterBy(FOUNDER), await charterBy(FOUNDER, [BEN])];
    const set = following(charter);
    await did(set, FOUNDER, ADMIT, termsOf(other, CLEO));
    expect(set.isIn(CLEO.deviceId)).toBe(false);
  });

  it('of one invite on two branches of one writer’s acts lets one newcomer in, the same everywhere', async () => {
    const charter = await charterBy(FOUNDER, [ANNA]);
    const [one, other] = [following(charter), following(charter)];
    const acts = [
      await did(one, ANNA, { ...ADMIT, key: CLEO.publicKey }, termsOf(charter, CLEO)),
      await did(other, ANNA, { ...ADMIT, key: DAN.publicKey }, termsOf(charter, DAN)),
    ];
    one.add(acts);
    other.add(acts);
    const isIn = (set: ActSet): boolean[] => [CLEO, DAN].map(({ deviceId }) => set.isIn(deviceId));
    expect(isIn(one).filter((is) => is)).toHaveLength(1);
    expect(isIn(other)).toEqual(isIn(one));
  });
});

it('a shut-out can be proved with few acts, without what came after', async () => {
  const charter = await charterBy(FOUNDER, [ANNA, BEN]);
  const set = following(charter);
  const before = await did(set, FOUNDER, grantOf(BEN, 'admin'));
  const out = await did(set, FOUNDER, shutOutOf(ANNA));
  await did(set, BEN, grantOf(CLEO, 'member', 1));
  const evidence = set.evidenceAgainst(ANNA.deviceId);
  expect([...evidence]).toEqual([charter.record.id, before.record.id, out.record.id]);
  const alone = following(charter);
  alone.add(set.acts().filter(({ record }) => evidence.has(record.id)));
  expect(alone.isOut(ANNA.deviceId)).toBe(true);
});
