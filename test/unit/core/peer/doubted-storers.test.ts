// A storer whose claims are doubted still places its file, and nobody works against it; of anybody else who
// claims more than a device is given, nothing is believed.

import { describe, expect, it } from 'vitest';
import type { DeviceId, FileId } from '../../../../src/core/model/ids.ts';
import { packFragments } from '../../../../src/core/placement/fragment-set.ts';
import { isStillPlaced, repairNeedOf } from '../../../../src/core/repair/repair-need.ts';
import { FEATURES } from '../../../../src/core/wire/messages.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, itemAt } from '../../../fixtures/pool-fixture.ts';
import {
  asking,
  fetchedBy,
  HELLO,
  knowing,
  refusals,
  type Device,
  type Net,
} from '../../../fixtures/peer-net.ts';

const [K, N] = [4, 8];
const HALF_HOUR_MS = 30 * 60_000;

interface Placing {
  readonly net: Net;
  /** Holds fragments 0 and 1. */
  readonly device: Device;
  readonly storer: DeviceId;
  readonly others: readonly DeviceId[];
  readonly file: FileId;
}

/** A file that its storer still places: it claims all of it, and three devices have what they were given. */
function placing(): Placing {
  const { net, device, other: storer, files } = knowing(1, { k: K, n: N });
  const file = itemAt(files, 0);
  device.hear(storer, { kind: 'features', features: FEATURES });
  claim(device, storer, file, indicesOf(N));
  for (const fragment of [0, 1]) device.input({ kind: 'held', fragments: [{ file, fragment, bytes: 10 }] });
  const others = [2, 3].map((index) => deviceAt(index).deviceId);
  for (const [at, other] of others.entries()) {
    device.input({ kind: 'link-up', device: other });
    device.hear(other, HELLO);
    device.hear(other, { kind: 'features', features: FEATURES });
    claim(device, other, file, at === 0 ? [2, 3, 4] : [5, 6, 7]);
  }
  return { net, device, storer, others, file };
}

function claim(device: Device, from: DeviceId, file: FileId, fragments: readonly number[]): void {
  const held = [{ file, fragments: packFragments(fragments) }];
  device.hear(from, { kind: 'holdings', base: 0, held, heldBytes: 1, freeBytes: 2 ** 30 });
}

function doubt({ device, file }: Placing, whom: DeviceId, fragments: readonly number[]): void {
  for (const fragment of fragments)
    device.input({ kind: 'not-given', device: whom, file, fragment, isWrong: true });
}

/** Fragments that a repair would rebuild; undefined when none is needed. */
function rebuilt({ device, file }: Placing): readonly number[] | undefined {
  const { repairView: view, catalogue } = device.peer;
  const manifest = catalogue.files().get(file);
  if (manifest === undefined) throw new Error('the file is known');
  return repairNeedOf(manifest, view.holdersOf(file), (each) => view.isGone(each), true)?.missing;
}

describe('a storer that still places its file', () => {
  it.each([
    ['is distrusted', [0, 1, 2]],
    ['has so many claims doubted that the rest is within the cap', indicesOf(N - K + 1)],
  ])('is left to place it, although it %s', (_, fragments) => {
    const world = placing();
    const { device, storer, others, file } = world;
    claim(device, itemAt(others, 0), file, []);
    doubt(world, storer, fragments);
    expect(rebuilt(world)).toBeUndefined();
    const { repairView: view, catalogue } = device.peer;
    const manifest = catalogue.files().get(file);
    expect(manifest && isStillPlaced(manifest, view.holdersOf(file), () => false)).toBe(true);
    // What another rebuilt of it meanwhile is not taken: the storer finds homes for everything.
    const refused = refusals(device.hear(itemAt(others, 1), asking(file, 3)), itemAt(others, 1));
    expect(refused).toEqual([[3, 'busy']]);
    // It is still not shown as held.
    expect(device.peer.confirmedHoldersOf(file).get(storer)?.size ?? 0).toBeLessThanOrEqual(N - K);
  });

  it('is not disturbed by copies and moves, although it is distrusted', () => {
    const world = placing();
    const { net, device, storer, others, file } = world;
    doubt(world, storer, [0, 1, 2]);
    device.input({ kind: 'pins', files: [file] });
    net.pass(HALF_HOUR_MS);
    expect(fetchedBy(device.effects)).toEqual([]);
    expect(others.flatMap((other) => device.sentTo(other, 'place'))).toEqual([]);
    // Once it is placed, the pinned copy comes.
    claim(device, storer, file, [0]);
    net.pass(HALF_HOUR_MS);
    expect(fetchedBy(device.effects)).toHaveLength(1);
  });
});

describe('another device that claims more than it can have been given', () => {
  it('is believed in nothing, however much of it is doubted, and keeps nobody from taking a fragment', () => {
    const world = placing();
    const { device, storer, others, file } = world;
    const [liar, repairer] = [itemAt(others, 0), itemAt(others, 1)];
    claim(device, storer, file, []);
    claim(device, repairer, file, [2, 3]);
    claim(device, liar, file, [4, 5, 6, 7]);
    expect(rebuilt(world)).toEqual([4, 5, 6, 7]);
    doubt(world, liar, [4]);
    expect(rebuilt(world)).toEqual([4, 5, 6, 7]);
    expect(refusals(device.hear(repairer, asking(file, 5)), repairer)).toEqual([]);
    expect(fetchedBy(device.effects)).toEqual([[{ file, fragment: 5 }]]);
  });
});
