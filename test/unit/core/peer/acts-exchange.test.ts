// How linked devices of a pool with a charter tell each other who may what, and whom they greet.

import { describe, expect, it } from 'vitest';
import type { CheckedAct } from '../../../../src/core/catalogue/grants/act.ts';
import type { ActSet } from '../../../../src/core/catalogue/grants/act-set.ts';
import type { PeerEffect } from '../../../../src/core/peer/peer-events.ts';
import { CHARTERED_PROTOCOL_VERSION, type Message } from '../../../../src/core/wire/messages.ts';
import { type Device, HELLO, Net } from '../../../fixtures/peer-net.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { GRACE_MS } from '../../../../src/core/model/limits.ts';
import { deviceAt, itemAt, write } from '../../../fixtures/pool-fixture.ts';
import {
  charterBy,
  following,
  grantOf,
  shutOutOf,
  signAct,
  writeAct,
} from '../../../fixtures/signed-acts.ts';

const [FOUNDER, ANNA, BEN, CLEO] = [0, 1, 2, 3];
const HELLO_3: Message = { ...HELLO, protocol: CHARTERED_PROTOCOL_VERSION } as Message;

/** A pool of the founder and the members whom the charter names; each knows the charter alone. */
class CharteredNet extends Net {
  readonly charter: CheckedAct;
  /** Every act that was written, as one device would know them. */
  readonly all: ActSet;

  constructor(charter: CheckedAct) {
    super();
    this.charter = charter;
    this.all = following(charter);
    this.acts.set(charter.record.id, charter);
  }

  static async of(...members: readonly number[]): Promise<CharteredNet> {
    return new CharteredNet(await charterBy(deviceAt(FOUNDER), members.map(deviceAt)));
  }

  /** A device that follows the charter and knows these acts. */
  join(index: number, ...acts: readonly CheckedAct[]): Device {
    const device = this.add(index);
    device.peer.acts.follow(this.charter.record.id);
    device.peer.acts.add([this.charter, ...acts]);
    return device;
  }

  async wrote(by: number, deed: Parameters<typeof writeAct>[2], known = this.all): Promise<CheckedAct> {
    const act = await writeAct(deviceAt(by), known, deed);
    this.acts.set(act.record.id, act);
    this.all.add([act]);
    return act;
  }
}

function kinds(device: Device, to: Device): string[] {
  return device.sentTo(to.id).map(({ kind }) => kind);
}

function closed(effects: readonly PeerEffect[]): string[] {
  return effects.flatMap((effect) => (effect.kind === 'close-link' ? effect.reason : []));
}

describe('two members', () => {
  it('speak of acts before anything else, and of nothing twice', async () => {
    const net = await CharteredNet.of(ANNA, BEN);
    const grant = await net.wrote(FOUNDER, grantOf(deviceAt(ANNA), 'admin'));
    const [founder, anna] = [net.join(FOUNDER, grant), net.join(ANNA)];
    net.link(founder, anna);
    expect(kinds(founder, anna).slice(0, 4)).toEqual(['hello', 'acts-summary', 'acts', 'features']);
    expect(kinds(anna, founder).slice(0, 3)).toEqual(['hello', 'acts-summary', 'features']);
    expect(founder.sentTo(anna.id, 'acts')).toHaveLength(1);
    expect(anna.peer.acts.roleOf(deviceAt(ANNA).deviceId)).toBe('admin');
    expect(anna.peer.reachableDevices()).toContain(founder.id);
  });

  it('pass on what one of them writes, to all who are in', async () => {
    const net = await CharteredNet.of(ANNA, BEN);
    const [founder, anna, ben] = [net.join(FOUNDER), net.join(ANNA), net.join(BEN)];
    net.link(founder, anna);
    net.link(anna, ben);
    founder.input({
      kind: 'acts-written',
      acts: [await net.wrote(FOUNDER, grantOf(deviceAt(BEN), 'reader'))],
    });
    net.settle();
    expect(ben.peer.acts.roleOf(ben.id)).toBe('reader');
    expect([founder, anna, ben].map(({ peer }) => peer.acts.digest())).toEqual(
      Array.from({ length: 3 }, () => net.all.digest()),
    );
    expect(anna.effects.some(({ kind }) => kind === 'keep-acts')).toBe(true);
  });

  it('of which one asks again and again lose their link', async () => {
    const net = await CharteredNet.of(ANNA);
    const founder = net.join(FOUNDER);
    founder.input({ kind: 'link-up', device: deviceAt(ANNA).deviceId });
    founder.hear(deviceAt(ANNA).deviceId, HELLO_3);
    const summary: Message = { kind: 'acts-summary', marks: new Uint8Array(0) };
    const ends = Array.from({ length: 65 }, () =>
      closed(founder.hear(deviceAt(ANNA).deviceId, summary)),
    ).flat();
    expect(ends).toEqual(['asks for acts again and again']);
  });
});

describe('a pool with a charter', () => {
  it('shows its charter to a device that follows none, and nothing else, and ends the link', async () => {
    const net = await CharteredNet.of(ANNA);
    const grant = await net.wrote(FOUNDER, grantOf(deviceAt(ANNA), 'admin'));
    const [founder, anna] = [net.join(FOUNDER, grant), net.add(ANNA)];
    net.link(founder, anna);
    expect(kinds(founder, anna)).toEqual(['hello', 'acts']);
    expect(kinds(anna, founder)).toEqual(['hello', 'acts-summary']);
    expect(anna.peer.acts.charters().map(({ record }) => record.id)).toEqual([net.charter.record.id]);
    expect(anna.peer.acts.charter).toBe(undefined);
    for (const each of [founder, anna]) expect(each.peer.reachableDevices()).toEqual([each.id]);
    // Whatever it says besides is not heard.
    expect(founder.hear(anna.id, { kind: 'holdings-wanted' })).toEqual([]);
    expect(founder.hear(anna.id, { kind: 'keys-wanted' })).toEqual([]);
    net.pass(6_000);
    expect(closed(founder.effects)).toEqual(['follows another charter']);
  });

  it('tells a stranger with its secret nothing but why this device is in, and hears nothing else', async () => {
    const net = await CharteredNet.of(ANNA, BEN);
    const secret = await net.wrote(FOUNDER, grantOf(deviceAt(BEN), 'reader'));
    const anna = net.join(ANNA, secret);
    const stranger = net.join(CLEO);
    net.link(anna, stranger);
    const told = anna.sentTo(stranger.id);
    expect(told.map(({ kind }) => kind)).toEqual(['hello', 'acts-summary']);
    expect(closed(anna.effects)).toEqual(['is not of this pool, and speaks']);
    expect(anna.peer.reachableDevices()).toEqual([anna.id]);
  });

  it('greets a newcomer whom it does not know as soon as it shows its admission', async () => {
    const net = await CharteredNet.of(ANNA);
    const toCleo = await net.wrote(FOUNDER, grantOf(deviceAt(CLEO), 'member'));
    const toBen = await net.wrote(FOUNDER, grantOf(deviceAt(BEN), 'member'), following(net.charter));
    const [ben, cleo] = [net.join(BEN, toBen), net.join(CLEO, toCleo)];
    net.link(ben, cleo);
    expect(ben.peer.reachableDevices()).toContain(cleo.id);
    expect(cleo.peer.acts.digest()).toBe(ben.peer.acts.digest());
  });

  it('gives back all acts to a device that lost them', async () => {
    const net = await CharteredNet.of(ANNA);
    const founder = net.join(FOUNDER);
    const anna = net.add(ANNA);
    anna.peer.acts.follow(net.charter.record.id);
    net.link(founder, anna);
    expect(anna.peer.acts.roleOf(anna.id)).toBe('member');
    expect(anna.peer.reachableDevices()).toContain(founder.id);
  });
});

describe('a device that is shut out', () => {
  it('gets the record of it and nothing that came after, and its link ends', async () => {
    const net = await CharteredNet.of(ANNA, BEN);
    const [founder, anna] = [net.join(FOUNDER), net.join(ANNA)];
    net.link(founder, anna);
    const before = founder.sentTo(anna.id).length;
    const out = await net.wrote(FOUNDER, shutOutOf(deviceAt(ANNA)));
    founder.input({ kind: 'acts-written', acts: [out] });
    founder.input({
      kind: 'acts-written',
      acts: [await net.wrote(FOUNDER, grantOf(deviceAt(BEN), 'admin'))],
    });
    net.settle();
    expect(founder.sentTo(anna.id).slice(before)).toEqual([{ kind: 'acts', acts: [out.record.bytes] }]);
    expect(anna.peer.acts.isOut(anna.id)).toBe(true);
    expect(founder.peer.reachableDevices()).toEqual([founder.id]);
    net.pass(5_000);
    expect(closed(founder.effects)).toEqual(['was shut out']);
  });

  it('that returns later with old acts is told so, whoever it meets, and is heard no more', async () => {
    const net = await CharteredNet.of(ANNA, BEN);
    const [anna, ben] = [net.join(ANNA), net.join(BEN)];
    const out = await net.wrote(FOUNDER, shutOutOf(deviceAt(ANNA)));
    const later = await net.wrote(FOUNDER, grantOf(deviceAt(CLEO), 'admin'));
    ben.peer.acts.add([out, later]);
    net.link(ben, anna);
    expect(ben.sentTo(anna.id, 'acts')).toEqual([{ kind: 'acts', acts: [out.record.bytes] }]);
    expect(anna.peer.acts.isOut(anna.id)).toBe(true);
    // It pretends not to know, and makes a friend an admin.
    const forged = await net.wrote(ANNA, grantOf(deviceAt(CLEO), 'admin', 1), following(net.charter));
    anna.input({ kind: 'acts-written', acts: [forged] });
    net.settle();
    expect(ben.peer.acts.standings.counts(forged.record.id)).toBe(false);
    expect(closed(ben.hear(anna.id, { kind: 'holdings-wanted' }))).toEqual([]);
    expect(ben.peer.reachableDevices()).toEqual([ben.id]);
    net.pass(5_000);
    expect(closed(ben.effects)).toEqual(['was shut out']);
  });
});

describe('doubts about a device that is shut out', () => {
  it('are forgotten, and do not come back with it', async () => {
    const net = await CharteredNet.of(ANNA);
    const [founder, anna] = [net.join(FOUNDER), net.join(ANNA)];
    net.link(founder, anna);
    const { fileId: file } = anna.store('a file', { k: 1, n: 2 });
    net.pass(60_000);
    const place = { file, fragment: itemAt([...(founder.peer.holdersOf(file).get(anna.id) ?? [])], 0) };
    founder.input({ kind: 'not-given', device: anna.id, ...place, isWrong: true });
    expect(founder.peer.doubts.isDoubted(anna.id, place)).toBe(true);
    founder.input({ kind: 'acts-written', acts: [await net.wrote(FOUNDER, shutOutOf(deviceAt(ANNA)))] });
    expect(founder.peer.doubts.isDoubted(anna.id, place)).toBe(false);
  });
});

describe('a device that only somebody let in who was out', () => {
  it('is served no more, and its link ends', async () => {
    const net = await CharteredNet.of(ANNA, BEN);
    const admin = await net.wrote(FOUNDER, grantOf(deviceAt(ANNA), 'admin'));
    const founderKnew = following(net.charter);
    founderKnew.add([admin]);
    const puppet = await net.wrote(ANNA, grantOf(deviceAt(CLEO), 'member', 1));
    const [ben, cleo] = [net.join(BEN, admin, puppet), net.join(CLEO, admin, puppet)];
    net.link(ben, cleo);
    expect(ben.peer.isReachable(cleo.id)).toBe(true);
    const out = await net.wrote(FOUNDER, shutOutOf(deviceAt(ANNA)), founderKnew);
    ben.input({ kind: 'acts-checked', from: deviceAt(FOUNDER).deviceId, acts: [out], refusedCount: 0 });
    net.settle();
    expect([ben.peer.acts.isIn(cleo.id), ben.peer.isReachable(cleo.id)]).toEqual([false, false]);
    const asked = ben.hear(cleo.id, { kind: 'get-fragments', id: 1, places: [] });
    expect(asked.map(({ kind }) => kind)).not.toContain('serve');
    // It hears why.
    expect(cleo.peer.acts.isIn(cleo.id)).toBe(false);
    net.pass(5_000);
    expect(closed(ben.effects)).toEqual(['is not of this pool any more']);
  });
});

describe('what entries say', () => {
  it('does not count while nobody admitted their device, and is asked for once somebody has', async () => {
    const net = await CharteredNet.of(ANNA);
    const [founder, anna] = [net.join(FOUNDER), net.join(ANNA)];
    net.link(founder, anna);
    const profile = write(new Catalogue(), deviceAt(6), 5, { kind: 'profile', name: 'of a stranger' });
    const name = (): string => founder.peer.catalogue.deviceName(profile.entry.deviceId);
    const before = founder.peer.catalogue.digest();
    founder.input({ kind: 'entries-checked', from: anna.id, entries: [profile], more: false });
    expect([name(), founder.peer.catalogue.digest()]).toEqual(['', before]);
    const asked = founder.sentTo(anna.id, 'sync').length;
    founder.input({ kind: 'acts-written', acts: [await net.wrote(FOUNDER, grantOf(deviceAt(6), 'member'))] });
    expect(founder.sentTo(anna.id, 'sync').length).toBe(asked + 1);
    founder.input({ kind: 'entries-checked', from: anna.id, entries: [profile], more: false });
    expect(name()).toBe('of a stranger');
  });

  it('of a device that is shut out keeps its fragments for the grace, whoever knows of it', async () => {
    const net = await CharteredNet.of(ANNA);
    const [founder, anna] = [net.join(FOUNDER), net.join(ANNA)];
    net.link(founder, anna);
    const { fileId } = anna.store('a file', { k: 1, n: 2 });
    net.pass(60_000);
    const held = (): number => founder.peer.own.of(fileId).size;
    expect(held()).toBe(1);
    const out = await net.wrote(FOUNDER, shutOutOf(deviceAt(ANNA)));
    founder.input({ kind: 'acts-written', acts: [out] });
    expect(founder.peer.catalogue.files().has(fileId)).toBe(false);
    expect(founder.peer.holdersOf(fileId).has(anna.id)).toBe(false);
    net.pass(GRACE_MS - 60_000);
    expect(held()).toBe(1);
    net.pass(120_000);
    expect(held()).toBe(0);
  });
});

describe('a device that sends forged acts', () => {
  it('is reported, and changes nothing', async () => {
    const net = await CharteredNet.of(ANNA);
    const founder = net.join(FOUNDER);
    const anna = deviceAt(ANNA).deviceId;
    founder.input({ kind: 'link-up', device: anna });
    founder.hear(anna, HELLO_3);
    const { seq, prev, seen } = net.all.positionOf(deviceAt(FOUNDER).deviceId);
    const at = { ms: 0, count: 0 };
    const body = { ...grantOf(deviceAt(ANNA), 'admin'), seen } as CheckedAct['record']['body'];
    // As the founder's, but he did not sign it: the driver's check refuses it.
    const forged = await signAct(deviceAt(FOUNDER), { pool: net.charter.record.pool, seq, prev, at, body });
    const effects = founder.hear(anna, { kind: 'acts', acts: [forged.record.bytes] });
    expect(effects.some(({ kind }) => kind === 'check-acts')).toBe(true);
    expect(founder.effects).toContainEqual({
      kind: 'misdeed',
      device: anna,
      what: 'forged-records',
      count: 1,
    });
    expect(founder.peer.acts.roleOf(anna)).toBe('member');
  });

  it('cannot make others ask forever for what never comes', async () => {
    const net = await CharteredNet.of(ANNA);
    const founder = net.join(FOUNDER);
    const anna = deviceAt(ANNA).deviceId;
    founder.input({ kind: 'link-up', device: anna });
    founder.hear(anna, HELLO_3);
    const lacking = await net.wrote(ANNA, { kind: 'merge' }, following(net.charter));
    const after = following(net.charter);
    after.add([lacking]);
    const orphan = await net.wrote(ANNA, { kind: 'merge' }, after);
    for (let count = 0; count < 10; count++)
      founder.hear(anna, { kind: 'acts', acts: [orphan.record.bytes] });
    expect(founder.sentTo(anna, 'acts-summary')).toHaveLength(1);
    expect(itemAt(founder.peer.acts.acts(), 0)).toBe(net.charter);
  });
});
