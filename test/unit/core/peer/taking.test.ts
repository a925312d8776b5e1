// Fragments that others ask this device to hold.

import { describe, expect, it } from 'vitest';
import { heldBytesOf } from '../../../../src/core/model/geometry.ts';
import { BLOCK_BYTES } from '../../../../src/core/model/limits.ts';
import { packFragments } from '../../../../src/core/placement/fragment-set.ts';
import { deviceAt, fileIdAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';
import {
  HELLO,
  messagesOf,
  knowing,
  asked,
  fetchedBy,
  asking,
  refusals,
} from '../../../fixtures/peer-net.ts';

describe('a fragment that another asks this device to hold', () => {
  it('is fetched from there', () => {
    const { device, other, fileId } = asked();
    expect(device.hear(other, asking(fileId, 2))).toEqual([
      { kind: 'pull', places: [{ file: fileId, fragment: 2 }], from: other, areSmall: false },
    ]);
    expect(device.hear(other, asking(fileId, 2)), 'asked again while it is fetched').toEqual([]);
  });

  it('is refused when the file is not known, or has no such fragment', () => {
    const { device, other, fileId } = asked();
    expect(refusals(device.hear(other, asking(fileIdAt(5), 0)), other)).toEqual([[0, 'unknown-file']]);
    expect(refusals(device.hear(other, asking(fileId, 8)), other)).toEqual([[8, 'unknown-file']]);
  });

  it('is refused beyond the cap, those being fetched included', () => {
    const { device, other, fileId, manifest } = asked();
    device.hold(fileId, manifest, 0);
    const effects = device.hear(other, asking(fileId, 1, 2, 3, 4));
    expect(fetchedBy(effects).flat()).toHaveLength(2);
    expect(refusals(effects, other)).toEqual([
      [3, 'cap'],
      [4, 'cap'],
    ]);
  });

  it('is refused when the space is promised already', () => {
    const fragmentBytes = heldBytesOf(manifestOf(deviceAt(1).deviceId));
    const { device, other, fileId } = asked(2 * fragmentBytes - 1);
    expect(refusals(device.hear(other, asking(fileId, 1, 2)), other)).toEqual([[2, 'space']]);
    device.input({ kind: 'pulled', place: { file: fileId, fragment: 1 }, from: other, outcome: 'failed' });
    expect(refusals(device.hear(other, asking(fileId, 2)), other)).toEqual([]);
  });

  it('that could not be fetched is refused with the reason', () => {
    const { device, other, fileId } = asked();
    device.hear(other, asking(fileId, 1));
    const failed = {
      kind: 'pulled',
      place: { file: fileId, fragment: 1 },
      from: other,
      outcome: 'space',
    } as const;
    expect(refusals(device.input(failed), other)).toEqual([[1, 'space']]);
  });

  it('and is here already is told of again: once, however many were asked for', () => {
    const { device, other, fileId, manifest } = asked();
    for (const fragment of [0, 1, 2]) device.hold(fileId, manifest, fragment);
    const effects = device.hear(other, asking(fileId, 0, 1, 2));
    const told = messagesOf(effects, other, 'holdings');
    expect(told).toMatchObject([{ base: 0, held: [{ file: fileId, fragments: packFragments([0, 1, 2]) }] }]);
    expect(refusals(effects, other)).toEqual([]);
  });

  it('and is still waiting is forgotten with the link of the asker', () => {
    const { device, other, files } = knowing(60);
    const fetched = files.flatMap((file) => fetchedBy(device.hear(other, asking(file, 0))));
    expect(fetched.length).toBeLessThan(60);
    device.input({ kind: 'link-down', device: other });
    for (const place of fetched.flat())
      expect(fetchedBy(device.input({ kind: 'pulled', place, from: other, outcome: 'busy' }))).toEqual([]);
  });
});

describe('small fragments that others ask this device to hold', () => {
  it('come in two fetches at a time, and those asked for meanwhile come together with the next', () => {
    const { device, other, files } = knowing(70, { size: 4_000 });
    const fetched = files.map((file) => fetchedBy(device.hear(other, asking(file, 0))));
    expect(fetched.flat()).toEqual([[{ file: files[0], fragment: 0 }], [{ file: files[1], fragment: 0 }]]);
    const ended = { kind: 'pulled', from: other, outcome: 'held' } as const;
    const next = fetchedBy(device.input({ ...ended, place: { file: itemAt(files, 0), fragment: 0 } }));
    expect(next).toEqual([files.slice(2, 66).map((file) => ({ file, fragment: 0 }))]);
    // It is over with the last of them.
    const after = itemAt(next, 0).map((place) => fetchedBy(device.input({ ...ended, place })));
    expect(after.slice(0, -1).flat()).toEqual([]);
    expect(after.at(-1)).toEqual([files.slice(66).map((file) => ({ file, fragment: 0 }))]);
  });

  it('come together as far as one answer holds them', () => {
    const { device, other, files, manifest } = knowing(30, { size: 200_000 });
    const places = files.map((file) => ({ file, fragment: 0 }));
    const [whole, ...others] = fetchedBy(device.hear(other, { kind: 'place', places }));
    expect(others).toHaveLength(1);
    expect(whole).toHaveLength(Math.floor(BLOCK_BYTES / 2 / heldBytesOf(manifest)));
  });

  it('of files of several segments, or of large blocks, come one by one', () => {
    for (const size of [4 * 64 * 1024, 2_000_000]) {
      const { device, other, files } = knowing(4, { size });
      const places = files.map((file) => ({ file, fragment: 0 }));
      expect(fetchedBy(device.hear(other, { kind: 'place', places }))).toEqual(
        places.map((place) => [place]),
      );
    }
  });

  it('are taken only from the device that stored their file', () => {
    const { device, other, files } = knowing(1, { size: 4_000 });
    const third = deviceAt(2).deviceId;
    device.input({ kind: 'link-up', device: third });
    device.hear(third, HELLO);
    const places = [{ file: itemAt(files, 0), fragment: 0 }];
    const effects = device.hear(third, { kind: 'place', places });
    expect(fetchedBy(effects)).toEqual([]);
    expect(refusals(effects, third)).toEqual([[0, 'failed']]);
    expect(fetchedBy(device.hear(other, { kind: 'place', places }))).toEqual([places]);
  });
});
