// A lying disk: a damaged block is found by its hash, fetched elsewhere, and reported.

import type { Device } from './device.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';
import { damageBlock, storedFragments } from './stored-blocks.ts';

/** 12 segments; with one fragment on each of three devices, any two open it. */
const CONTENT = { seed: 51, length: 12 * (2 * 262_144 - 16) };

test(
  'a flipped bit on the reading device is found, fetched elsewhere and reported',
  { tag: '@long' },
  async ({ newPool }) => {
    const devices = await newPool(['Laptop', 'Phone', 'Tablet']);
    const [, phone] = devices;
    if (phone === undefined) throw new Error('The pool has no phone.');
    const fileId = await spread(devices);
    await damageBlock(phone, await heldBlockOf(phone, 3));
    await allLinked(devices);

    expect(await phone.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
    await phone.waitFor('the damage to be told', ({ notices }) =>
      notices.some(({ text }) => /damaged/i.test(text)),
    );
    expect(await phone.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
  },
);

test('a flipped bit on a holder is found, fetched elsewhere and reported', async ({ newPool, newDevice }) => {
  const devices = await newPool(['Laptop', 'Phone', 'Tablet']);
  const [laptop] = devices;
  if (laptop === undefined) throw new Error('The pool has no laptop.');
  const fileId = await spread(devices);
  const reader = await newDevice('Watch');
  await reader.join(await laptop.invite());
  await allLinked([reader, ...devices]);

  // Fragments 0 and 1 are requested first: they are plain slices of the segment, and need no decoding.
  const holder = await holderOf(devices, 0);
  await damageBlock(holder, await heldBlockOf(holder, 5));
  await allLinked([reader, ...devices]);
  expect(await reader.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
  // The holder tells it, whoever came first: the reader, or another device's challenge after the restart.
  await holder.waitFor('the damage to be told', ({ notices }) =>
    notices.some(({ text }) => /damaged/i.test(text)),
  );
});

async function holderOf(devices: readonly Device[], fragment: number): Promise<Device> {
  for (const device of devices) {
    const held = await storedFragments(device.page);
    if (held.some((each) => each.fragment === fragment)) return device;
  }
  throw new Error(`No device holds fragment ${fragment}.`);
}

/** Stores the file from the first of three devices, one fragment on each, and waits until each has one. */
async function spread(devices: readonly Device[]): Promise<string> {
  const [storer] = devices;
  if (storer === undefined) throw new Error('The pool is empty.');
  const { fileId } = await storer.store(CONTENT, { name: 'album.zip', k: 2, n: 3 });
  await storer.waitFor('one fragment on each device', ({ files }) => {
    const holders = files.find((file) => file.fileId === fileId)?.holders ?? [];
    return holders.length === 3 && holders.every(({ fragments }) => fragments.length === 1);
  });
  return fileId;
}

/** The hash of the block of `segment` in the device's only fragment. */
async function heldBlockOf(device: Device, segment: number): Promise<string> {
  const [fragment, ...others] = await storedFragments(device.page);
  const hash = fragment?.blocks[segment];
  if (hash === undefined || others.length > 0) throw new Error(`${device.name} does not hold one fragment.`);
  return hash;
}
