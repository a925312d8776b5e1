// Claims put to the proof: challenges that this device answers, and second copies that it gives up.

import { describe, expect, it } from 'vitest';
import type { DeviceId, FileId } from '../../../../src/core/model/ids.ts';
import { proofBlocksOf } from '../../../../src/core/peer/proof-ranges.ts';
import { NO_FRAGMENTS, packFragments } from '../../../../src/core/placement/fragment-set.ts';
import type { PeerEffect } from '../../../../src/core/peer/peer-events.ts';
import type { Message, ProofAsk } from '../../../../src/core/wire/messages.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt } from '../../../fixtures/pool-fixture.ts';
import {
  HELLO,
  NO_BYTES,
  type Device,
  type Net,
  SALT,
  proofOf,
  listener,
  knowing,
  asked,
} from '../../../fixtures/peer-net.ts';

describe('a second copy that its storer asks to be released', () => {
  /** A device that holds fragment 0 of a file of `storer`, as `third` claims to. */
  function twice(): { device: Device; storer: DeviceId; third: DeviceId; place: Place } {
    const { net, device, other: storer, files } = knowing(1);
    const member = net.add(2);
    member.publish({ kind: 'profile', name: 'Third' });
    const entries = [...net.written.values()];
    device.input({ kind: 'entries-checked', from: storer, entries, more: false });
    const place: Place = { file: itemAt(files, 0), fragment: 0 };
    device.input({ kind: 'held', fragments: [{ ...place, bytes: 10 }] });
    device.input({ kind: 'link-up', device: member.id });
    device.hear(member.id, HELLO);
    device.hear(member.id, { kind: 'features', features: ['challenge'] });
    const held = [{ file: place.file, fragments: packFragments([0]) }];
    device.hear(member.id, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 1 });
    return { device, storer, third: member.id, place };
  }

  function challengeTo(device: Device, third: DeviceId): Message & { kind: 'challenge' } {
    const challenge = device.sentTo(third, 'challenge').at(-1);
    if (challenge?.kind !== 'challenge') throw new Error('expected a challenge');
    return challenge;
  }

  it('is given up once the other holder has proved that it has the fragment', () => {
    const { device, storer, third, place } = twice();
    expect(device.hear(storer, { kind: 'release', place }).map(({ kind }) => kind)).not.toContain('drop');
    const { id, asks } = challengeTo(device, third);
    expect(asks).toEqual([{ ...place, salt: SALT }]);
    const digests = [proofOf(place, third)];
    expect(device.hear(third, { kind: 'proof', id, digests })).toContainEqual({
      kind: 'drop',
      file: place.file,
      fragments: [0],
    });
  });

  it.each<[string, (place: Place, third: DeviceId) => (Uint8Array | undefined)[]]>([
    ['a wrong proof', () => [seededBytes(32, 5)]],
    ['the proof of another device', (place) => [proofOf(place, deviceAt(0).deviceId)]],
    ['no proof', () => [undefined]],
    ['nothing', () => []],
  ])('stays when the other holder sends %s', (_, digestsFor) => {
    const { device, storer, third, place } = twice();
    device.hear(storer, { kind: 'release', place });
    const { id } = challengeTo(device, third);
    const digests = digestsFor(place, third);
    const effects = device.hear(third, { kind: 'proof', id, digests });
    expect(effects.map(({ kind }) => kind)).not.toContain('drop');
    expect(device.peer.own.of(place.file).has(0)).toBe(true);
  });

  it('stays when any device but the storer asks, or no other device claims it', () => {
    const { device, storer, third, place } = twice();
    device.hear(third, { kind: 'release', place });
    expect(device.sentTo(third, 'challenge')).toEqual([]);
    device.input({ kind: 'link-down', device: third });
    expect(device.hear(storer, { kind: 'release', place }).map(({ kind }) => kind)).not.toContain('drop');
  });
});

describe('challenges', () => {
  const salt = seededBytes(16, 6);
  const asksFor = (places: readonly Place[]): ProofAsk[] => places.map((place) => ({ ...place, salt }));

  it('are answered for what is held, in order, and for nothing else', () => {
    const { device, other, fileId } = asked();
    device.input({ kind: 'held', fragments: [{ file: fileId, fragment: 2, bytes: 10 }] });
    const places = [1, 2].map((fragment) => ({ file: fileId, fragment }));
    device.hear(other, { kind: 'challenge', id: 4, asks: asksFor(places) });
    expect(device.sentTo(other, 'proof')).toEqual([
      { kind: 'proof', id: 4, digests: [undefined, proofOf({ file: fileId, fragment: 2 }, device.id)] },
    ]);
  });

  it('never make a device read more than their bound', () => {
    const { device, other, files, manifest } = knowing(1, { n: 64 });
    const fileId = itemAt(files, 0);
    const blockCount = proofBlocksOf(manifest);
    for (let fragment = 0; fragment < manifest.n; fragment++)
      device.input({ kind: 'held', fragments: [{ file: fileId, fragment, bytes: 10 }] });
    const places = Array.from({ length: 64 }, (_, fragment) => ({ file: fileId, fragment }));
    const effects = device.hear(other, { kind: 'challenge', id: 4, asks: asksFor(places) });
    const asked64 = effects.flatMap((effect) => (effect.kind === 'prove' ? effect.asks : []));
    expect(asked64).toHaveLength(64);
    const read = asked64.filter((place) => place !== undefined).length * blockCount;
    expect(read).toBeLessThanOrEqual(64);
    expect(read).toBeGreaterThan(64 - blockCount);
  });

  it('that name a fragment again have it proved once', () => {
    const { device, other, fileId } = asked();
    device.input({ kind: 'held', fragments: [{ file: fileId, fragment: 2, bytes: 10 }] });
    const place = { file: fileId, fragment: 2 };
    device.hear(other, { kind: 'challenge', id: 4, asks: asksFor([place, place]) });
    expect(device.sentTo(other, 'proof')).toMatchObject([
      { digests: [proofOf(place, device.id), undefined] },
    ]);
  });

  it('that come before earlier ones were answered end the link', () => {
    const { device, other } = listener();
    // An effect that is not carried out stands for a slow disk.
    const hear = (id: number): PeerEffect[] =>
      device.peer.handle(2_000, {
        kind: 'message',
        from: other,
        message: { kind: 'challenge', id, asks: [] },
        payload: NO_BYTES,
      });
    for (const id of [1, 2, 3, 4]) expect(hear(id)).toMatchObject([{ kind: 'prove', id }]);
    expect(hear(5)).toMatchObject([{ kind: 'close-link', device: other }]);
    expect(hear(4)).toMatchObject([{ kind: 'close-link', device: other }]);
  });
});

describe('a claim that was not made good', () => {
  /** A device in whose pool a member claims fragments 1 and 2 of a file, and the member. */
  function claimed(): { net: Net; device: Device; third: Device; member: DeviceId; fileId: FileId } {
    const { net, device, other, files } = knowing(1);
    const third = net.add(2);
    third.publish({ kind: 'profile', name: 'Third' });
    device.input({ kind: 'entries-checked', from: other, entries: [...net.written.values()], more: false });
    device.input({ kind: 'link-up', device: third.id });
    device.hear(third.id, HELLO);
    device.hear(third.id, { kind: 'features', features: ['challenge', 'repair', 'moves'] });
    const fileId = itemAt(files, 0);
    const held = [{ file: fileId, fragments: packFragments([1, 2]) }];
    device.hear(third.id, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 1 });
    return { net, device, third, member: third.id, fileId };
  }

  const shown = (device: Device, fileId: FileId, member: DeviceId): number[] => [
    ...(device.peer.confirmedHoldersOf(fileId).get(member) ?? []),
  ];

  it('counts neither for what is shown nor for repair, until it is made good', () => {
    const { device, member, fileId } = claimed();
    const before = device.peer.revisionOf(fileId);
    const place = { file: fileId, fragment: 1 };
    device.input({ kind: 'not-given', device: member, ...place, isWrong: true });
    expect(shown(device, fileId, member)).toEqual([2]);
    expect(device.peer.repairView.holdersOf(fileId).get(member)).toEqual(new Set([2]));
    expect(device.peer.revisionOf(fileId)).not.toBe(before);
    // A read may still ask it.
    expect(device.peer.holdersOf(fileId).get(member)).toEqual(new Set([1, 2]));
    // It withdraws the claim, and has a new copy later.
    for (const [base, fragments] of [[2], [1, 2]].entries()) {
      const held = [{ file: fileId, fragments: packFragments(fragments) }];
      device.hear(member, { kind: 'holdings', base: base + 1, held, heldBytes: 1, freeBytes: 1 });
    }
    expect(shown(device, fileId, member)).toEqual([1, 2]);
  });

  it('leaves a device that gave several wrong without any homes, and its claims unsaved', () => {
    const { device, member, fileId } = claimed();
    const isCandidate = (file = fileIdAt(5)): boolean =>
      device.peer.repairView.candidates(file).some((each) => each.device === member);
    expect(isCandidate(fileId)).toBe(true);
    for (const fragment of [1, 2])
      device.input({ kind: 'not-given', device: member, file: fileId, fragment, isWrong: true });
    // Of this file it would be given what it did not give.
    expect(isCandidate(fileId)).toBe(false);
    expect(isCandidate()).toBe(true);
    const held = [{ file: fileId, fragments: packFragments([1, 2, 3]) }];
    device.hear(member, { kind: 'holdings', base: 1, held, heldBytes: 1, freeBytes: 1 });
    device.input({ kind: 'not-given', device: member, file: fileId, fragment: 3, isWrong: true });
    expect(isCandidate()).toBe(false);
    // Nor has a storer anything for it.
    const stored = device.store('of this device', { k: 1, n: 2 });
    expect(device.sentTo(member, 'place')).toEqual([]);
    expect(device.peer.anchoring.planHomes({ ...stored.manifest, isPrivate: false }).homes).not.toContain(
      member,
    );
    expect(device.peer.doubts.countedPacked(member, fileId, packFragments([0, 1]))).toBe(NO_FRAGMENTS);
  });

  it('no longer keeps a storer from placing on a device that is trusted again', () => {
    const { net, device, member, fileId } = claimed();
    const hold = (base: number, places: readonly Place[]): void => {
      const held = places.map(({ file, fragment }) => ({ file, fragments: packFragments([fragment]) }));
      device.hear(member, { kind: 'holdings', base, held, heldBytes: 1, freeBytes: 2 ** 30 });
    };
    device.hear(member, {
      kind: 'holdings',
      base: 1,
      held: [{ file: fileId, fragments: packFragments([1, 2, 3]) }],
      heldBytes: 1,
      freeBytes: 2 ** 30,
    });
    for (const fragment of [1, 2, 3])
      device.input({ kind: 'not-given', device: member, file: fileId, fragment, isWrong: true });
    hold(0, []);
    const stored = [1, 2, 3].map((at) => device.store(`file ${at}`, { k: 1, n: 2 }).fileId);
    const waiting = device.store('another', { k: 1, n: 2 }).fileId;
    net.pass(120_000);
    expect(device.sentTo(member, 'place')).toEqual([]);
    // It has three fragments, perhaps from before, and proves them.
    hold(
      1,
      stored.map((file) => ({ file, fragment: 1 })),
    );
    for (let round = 0; round < 3; round++) {
      net.pass(1_000);
      const challenge = device.sentTo(member, 'challenge').at(round);
      if (challenge?.kind !== 'challenge') break;
      const digests = challenge.asks.map((place) => proofOf(place, member));
      device.hear(member, { kind: 'proof', id: challenge.id, digests });
    }
    expect(device.peer.doubts.isDistrusted(member)).toBe(false);
    const placed = device
      .sentTo(member, 'place')
      .flatMap((message) => (message.kind === 'place' ? message.places : []));
    expect(placed.map(({ file }) => file)).toContain(waiting);
  });

  it('is forgotten with a device that left', () => {
    const { net, device, third, member, fileId } = claimed();
    for (const fragment of [1, 2]) {
      const place = { file: fileId, fragment };
      device.input({ kind: 'not-given', device: member, ...place, isWrong: true });
      expect(device.peer.doubts.isDoubted(member, place)).toBe(true);
    }
    third.publish({ kind: 'leave' });
    const entries = [...net.written.values()];
    device.input({ kind: 'entries-checked', from: member, entries, more: false });
    for (const fragment of [1, 2])
      expect(device.peer.doubts.isDoubted(member, { file: fileId, fragment })).toBe(false);
  });
});

describe('a doubted claim of what is here as well', () => {
  it('is put to the proof when an audit comes to it, and counts once it is proved', () => {
    const { device, other: holder, files } = knowing(1);
    const place: Place = { file: itemAt(files, 0), fragment: 0 };
    device.input({ kind: 'held', fragments: [{ ...place, bytes: 10 }] });
    device.hear(holder, { kind: 'features', features: ['challenge'] });
    const held = [{ file: place.file, fragments: packFragments([0]) }];
    device.hear(holder, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 1 });
    device.input({ kind: 'not-given', device: holder, ...place, isWrong: true });
    expect(device.peer.doubts.isDoubted(holder, place)).toBe(true);
    device.input({ kind: 'audited', device: holder, ...place, outcome: 'own' });
    const challenge = device.sentTo(holder, 'challenge').at(-1);
    if (challenge?.kind !== 'challenge') throw new Error('expected a challenge');
    device.hear(holder, { kind: 'proof', id: challenge.id, digests: [proofOf(place, holder)] });
    expect(device.peer.doubts.isDoubted(holder, place)).toBe(false);
  });
});
