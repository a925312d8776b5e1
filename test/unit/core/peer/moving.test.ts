// Moves and second copies between peers, against members that lie: a device that came only just now, or
// proves nothing, makes nobody drop anything.

import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../../src/core/model/ids.ts';
import { packFragments } from '../../../../src/core/placement/fragment-set.ts';
import { FEATURES, type Message } from '../../../../src/core/wire/messages.ts';
import type { Place } from '../../../../src/core/wire/places.ts';
import { deviceAt, itemAt } from '../../../fixtures/pool-fixture.ts';
import {
  asking,
  fetchedBy,
  HELLO,
  knowing,
  proofOf,
  refusals,
  type Device,
  type Net,
} from '../../../fixtures/peer-net.ts';

/** Devices are trusted after ten minutes of one link. */
const TRUST_MS = 10 * 60_000;
const SETTLE_MS = 5_000;
const HOLDER = 3;

interface Lie {
  readonly net: Net;
  /** Holds fragments 0 and 1, as its only one. */
  readonly device: Device;
  readonly liar: DeviceId;
  readonly place: Place;
}

/** An honest holder of fragments 0 and 1; another, of 2; and a member that says that it has fragment 0. */
function lie(features: readonly string[] = FEATURES): Lie {
  const { net, device, other: storer, files } = knowing(1);
  const file = itemAt(files, 0);
  device.hear(storer, { kind: 'features', features: FEATURES });
  claim(device, storer, file, [HOLDER]);
  for (const fragment of [0, 1]) device.input({ kind: 'held', fragments: [{ file, fragment, bytes: 10 }] });
  const liar = deviceAt(2).deviceId;
  device.input({ kind: 'link-up', device: liar });
  device.hear(liar, HELLO);
  device.hear(liar, { kind: 'features', features });
  claim(device, liar, file, [0]);
  return { net, device, liar, place: { file, fragment: 0 } };
}

function claim(device: Device, from: DeviceId, file: Place['file'], fragments: readonly number[]): void {
  const held = [{ file, fragments: packFragments(fragments) }];
  device.hear(from, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 1 });
}

function challenges(device: Device, to: DeviceId): (Message & { kind: 'challenge' })[] {
  return device.sentTo(to, 'challenge').flatMap((message) => (message.kind === 'challenge' ? [message] : []));
}

/** Answers the last challenge. */
function answer({ device, liar }: Lie, digestOf: (place: Place) => Uint8Array | undefined): void {
  const last = challenges(device, liar).at(-1);
  if (last === undefined) throw new Error('expected a challenge');
  device.hear(liar, { kind: 'proof', id: last.id, digests: last.asks.map((ask) => digestOf(ask)) });
}

const hasDropped = ({ device, place }: Lie): boolean => !device.peer.own.of(place.file).has(place.fragment);

describe('a second copy', () => {
  it('goes once a device that was linked for long has proved the fragment', () => {
    const told = lie();
    told.net.pass(TRUST_MS + 1_000);
    answer(told, (place) => proofOf(place, told.liar));
    expect(hasDropped(told)).toBe(true);
    expect([...told.device.peer.own.of(told.place.file)]).toEqual([1]);
  });

  it('goes when the other device, which was to drop its copy for lack of space, gets some', () => {
    const told = lie();
    const tellSpace = (base: number, freeBytes: number): void => {
      told.device.hear(told.liar, { kind: 'holdings', base, held: [], heldBytes: 1_000, freeBytes });
    };
    told.device.input({ kind: 'space', freeBytes: 1_000 });
    tellSpace(1, 1_000);
    // In its first seconds this page drops nothing at all.
    told.net.pass(30_000);
    tellSpace(2, 10);
    told.net.pass(TRUST_MS);
    expect(challenges(told.device, told.liar)).toEqual([]);
    tellSpace(3, 1_000);
    told.net.pass(SETTLE_MS + 1_000);
    answer(told, (place) => proofOf(place, told.liar));
    expect(hasDropped(told)).toBe(true);
  });

  it('is not even in question while the other device is new: it may vanish with what it took', () => {
    const told = lie();
    told.net.pass(TRUST_MS - SETTLE_MS);
    expect(challenges(told.device, told.liar)).toEqual([]);
    // While it is away, its time does not go on.
    told.device.input({ kind: 'link-down', device: told.liar });
    told.net.pass(TRUST_MS);
    told.device.input({ kind: 'link-up', device: told.liar });
    told.device.hear(told.liar, HELLO);
    told.device.hear(told.liar, { kind: 'features', features: FEATURES });
    claim(told.device, told.liar, told.place.file, [0]);
    told.net.pass(SETTLE_MS - 1_000);
    expect(challenges(told.device, told.liar)).toEqual([]);
    expect(hasDropped(told)).toBe(false);
    told.net.pass(3_000);
    expect(challenges(told.device, told.liar)).toHaveLength(1);
  });

  it.each<[string, (place: Place) => Uint8Array | undefined]>([
    ['a wrong proof', () => new Uint8Array(32)],
    ['the proof of another device', (place) => proofOf(place, deviceAt(0).deviceId)],
    ['no proof', () => undefined],
  ])('stays when the other device sends %s, which is asked ever less often', (_, digestOf) => {
    const told = lie();
    told.net.pass(TRUST_MS + 1_000);
    answer(told, digestOf);
    expect(hasDropped(told)).toBe(false);
    const counts = [1, 2, 3].map(() => {
      const before = challenges(told.device, told.liar).length;
      for (let minute = 0; minute < 20; minute++) {
        told.net.pass(60_000);
        if (challenges(told.device, told.liar).length > before) answer(told, digestOf);
      }
      return challenges(told.device, told.liar).length - before;
    });
    expect(hasDropped(told)).toBe(false);
    expect(itemAt(counts, 2)).toBeLessThanOrEqual(1);
  });

  it('stays while the proof may come from a device whose proofs promise nothing', () => {
    const told = lie(FEATURES.filter((feature) => feature !== 'moves'));
    told.net.pass(2 * TRUST_MS);
    expect(challenges(told.device, told.liar)).toEqual([]);
  });

  it('stays while its holder leaves: it takes its own with it', () => {
    const told = lie([...FEATURES, 'leaving']);
    told.net.pass(2 * TRUST_MS);
    expect(challenges(told.device, told.liar)).toEqual([]);
  });

  it('stays when the file is removed before the proof', () => {
    const told = lie();
    told.net.pass(TRUST_MS + 1_000);
    const storer = deviceAt(1).deviceId;
    told.net.devices.get(storer)?.publish({ kind: 'remove', file: told.place.file });
    const entries = [...told.net.written.values()];
    told.device.input({ kind: 'entries-checked', from: storer, entries, more: false });
    answer(told, (place) => proofOf(place, told.liar));
    // It is in its grace: another name may bring it back.
    expect(hasDropped(told)).toBe(false);
  });
});

describe('a fragment that its holder offers', () => {
  /** A device that has nothing; its storer is linked, and so is a holder of fragment 5 that offers it. */
  function offered(): { device: Device; storer: DeviceId; holder: DeviceId; place: Place } {
    const { device, other: storer, files } = knowing(1);
    device.hear(storer, { kind: 'features', features: FEATURES });
    const holder = deviceAt(2).deviceId;
    device.input({ kind: 'link-up', device: holder });
    device.hear(holder, HELLO);
    device.hear(holder, { kind: 'features', features: FEATURES });
    const place = { file: itemAt(files, 0), fragment: 5 };
    claim(device, holder, place.file, [5]);
    return { device, storer, holder, place };
  }

  it('is fetched if nobody else who stays has it', () => {
    const { device, storer, holder, place } = offered();
    claim(device, storer, place.file, [5]);
    device.hear(storer, { kind: 'features', features: [...FEATURES, 'leaving'] });
    expect(fetchedBy(device.hear(holder, asking(place.file, 5)))).toEqual([[place]]);
  });

  it('is refused if another device has it: it would fill this device’s share with copies', () => {
    const { device, storer, holder, place } = offered();
    claim(device, storer, place.file, [5]);
    expect(refusals(device.hear(holder, asking(place.file, 5)), holder)).toEqual([[5, 'busy']]);
  });

  it('is refused by a device that leaves, until it stays after all', () => {
    const { device, holder, place } = offered();
    device.input({ kind: 'leaving', isLeaving: true });
    expect(device.sentTo(holder, 'features').at(-1)).toMatchObject({
      features: expect.arrayContaining(['leaving']),
    });
    expect(refusals(device.hear(holder, asking(place.file, 5)), holder)).toEqual([[5, 'space']]);
    device.input({ kind: 'leaving', isLeaving: false });
    expect(device.sentTo(holder, 'features').at(-1)).toEqual({ kind: 'features', features: FEATURES });
    expect(fetchedBy(device.hear(holder, asking(place.file, 5)))).toEqual([[place]]);
  });
});
