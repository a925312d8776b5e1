// Blocks that are foretold, on both sides of a link.

import { describe, expect, it } from 'vitest';
import { heldBytesOf } from '../../../../src/core/model/geometry.ts';
import { parseBlockHash, parseJobId, type BlockHash, type DeviceId } from '../../../../src/core/model/ids.ts';
import { BLOCK_BYTES, MAX_FORETOLD_JOBS, SOON_KEEP_MS } from '../../../../src/core/model/limits.ts';
import type { PeerEffect } from '../../../../src/core/peer/peer-events.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';
import {
  A_MOMENT_MS,
  messagesOf,
  listener,
  poolOf,
  asked,
  asking,
  refusals,
} from '../../../fixtures/peer-net.ts';

describe('blocks that are foretold', () => {
  const job = parseJobId(seededBytes(16, 70));
  const hashes = (count: number): BlockHash[] =>
    indicesOf(count).map((index) => parseBlockHash(seededBytes(32, 7_000 + index)));
  const fetches = (effects: readonly PeerEffect[]): number =>
    effects.filter(({ kind }) => kind === 'prefetch').length;
  const ends = (effects: readonly PeerEffect[]): PeerEffect[] =>
    effects.filter(({ kind }) => kind === 'soon-over');

  it('are fetched from the device that told of them, if it has greeted and has not left', () => {
    const stranger = listener(false);
    const soon = { kind: 'soon', job, blocks: hashes(3) } as const;
    const [closed] = stranger.device.hear(stranger.other, soon);
    expect(closed?.kind).toBe('close-link');

    const { device, other } = listener();
    const [block] = soon.blocks;
    expect(device.hear(other, soon)).toContainEqual({ kind: 'prefetch', from: other, job, block });

    const { net, device: third, other: gone } = listener();
    third.hear(gone, soon);
    const leaver = net.add(1);
    leaver.publish({ kind: 'leave' });
    const entries = [...net.written.values()];
    const left = third.input({ kind: 'entries-checked', from: gone, entries, more: false });
    expect(ends(left)).toEqual([{ kind: 'soon-over', from: gone, job }]);
    expect(third.hear(gone, soon)).toMatchObject([{ kind: 'close-link' }]);
  });

  it('take half of the room, count as room that fragments can have, and are given up for one', () => {
    const manifest = manifestOf(deviceAt(1).deviceId);
    const fragmentBytes = heldBytesOf(manifest);
    const blockCount = Math.ceil(fragmentBytes / BLOCK_BYTES);
    const { device, other, fileId } = asked(2 * blockCount * BLOCK_BYTES);
    const told = device.hear(other, { kind: 'soon', job, blocks: hashes(2 * blockCount) });
    expect(fetches(told)).toBe(blockCount);
    for (const block of hashes(blockCount))
      device.input({ kind: 'prefetched', from: other, job, block, outcome: 'here' });
    // The disk is measured with these blocks on it.
    device.input({ kind: 'space', freeBytes: blockCount * BLOCK_BYTES });
    expect(ends(device.hear(other, asking(fileId, 0)))).toEqual([]);
    const second = device.hear(other, asking(fileId, 1));
    expect(refusals(second, other)).toEqual([]);
    expect(ends(second)).toEqual([{ kind: 'soon-over', from: other, job }]);
  });

  it('are given up when their job is over, and some time after its last sign', () => {
    const { net, device, other } = listener();
    device.hear(other, { kind: 'soon', job, blocks: hashes(1) });
    expect(device.hear(other, { kind: 'soon-over', job })).toEqual([{ kind: 'soon-over', from: other, job }]);
    device.hear(other, { kind: 'soon', job, blocks: hashes(2) });
    device.input({ kind: 'link-down', device: other });
    device.effects.length = 0;
    net.pass(SOON_KEEP_MS);
    expect(ends(device.effects)).toEqual([{ kind: 'soon-over', from: other, job }]);
  });

  it('are told one message’s worth at a time, to reachable devices', () => {
    const { device, other } = listener();
    const blocks = hashes(100);
    const away = deviceAt(3).deviceId;
    expect(device.input({ kind: 'foretell', job, to: away, blocks })).toEqual([]);
    const told = messagesOf(device.input({ kind: 'foretell', job, to: other, blocks }), other, 'soon');
    expect(told).toEqual([
      { kind: 'soon', job, blocks: blocks.slice(0, 64) },
      { kind: 'soon', job, blocks: blocks.slice(64) },
    ]);
  });

  it('are over for each device once it holds its fragments, as they were planned for it', () => {
    const { net, devices } = poolOf(4);
    const storer = itemAt(devices, 0);
    const manifest = manifestOf(storer.id);
    const { homes, early } = storer.peer.anchoring.planHomes({ ...manifest, isPrivate: false });
    expect(homes.size).toBe(manifest.n);
    expect(early).toEqual(new Set(devices.slice(1).map(({ id }) => id)));
    for (const to of early) storer.input({ kind: 'foretell', job, to, blocks: hashes(1) });
    // Another device has come, to which fragments would go now.
    net.link(storer, net.add(4));
    net.pass(A_MOMENT_MS);
    expect(storer.peer.anchoring.planHomes({ ...manifest, isPrivate: false }).homes).not.toEqual(homes);
    const { fileId } = storer.store('early', {}, { job, homes });
    const overs = (): DeviceId[] => [...early].filter((to) => storer.sentTo(to, 'soon-over').length > 0);
    expect(overs()).toEqual([]);
    net.pass(A_MOMENT_MS);
    expect(new Set(overs())).toEqual(early);
    for (const to of early) {
      const planned = [...homes].flatMap(([fragment, home]) => (home === to ? [fragment] : []));
      expect(storer.peer.holdersOf(fileId).get(to)).toEqual(new Set(planned));
      expect(storer.sentTo(to, 'soon-over')).toEqual([{ kind: 'soon-over', job }]);
    }
  });

  it('of an earlier page are over for all linked devices when that store is given up', () => {
    const { devices } = poolOf(3);
    const [storer, one, other] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
    const effects = storer.input({ kind: 'abandoned', job });
    for (const to of [one.id, other.id]) {
      expect(messagesOf(effects, to, 'soon-over')).toEqual([{ kind: 'soon-over', job }]);
    }
  });

  it('are over for all when there will be no file; a device that is away hears of it when it is back', () => {
    const { net, devices } = poolOf(3);
    const [storer, one, other] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
    for (const to of [one.id, other.id]) storer.input({ kind: 'foretell', job, to, blocks: hashes(1) });
    net.unlink(storer.id, other.id);
    const effects = storer.input({ kind: 'soon-over', job });
    expect(messagesOf(effects, one.id, 'soon-over')).toHaveLength(1);
    expect(storer.sentTo(other.id, 'soon-over')).toEqual([]);
    net.link(storer, other);
    expect(storer.sentTo(other.id, 'soon-over')).toHaveLength(1);
    expect(storer.input({ kind: 'soon-over', job })).toEqual([]);
  });

  it('of a file that is removed while it is placed are over too', () => {
    const { net, devices } = poolOf(2);
    const [storer, other] = [itemAt(devices, 0), itemAt(devices, 1)];
    storer.input({ kind: 'foretell', job, to: other.id, blocks: hashes(1) });
    net.arrives = ({ kind }) => kind !== 'place';
    const { fileId } = storer.store('removed', {}, { job, homes: new Map([[0, other.id]]) });
    net.settle();
    expect(storer.sentTo(other.id, 'soon-over')).toEqual([]);
    storer.publish({ kind: 'remove', file: fileId });
    expect(storer.sentTo(other.id, 'soon-over')).toHaveLength(1);
  });

  it('of many failed stores end, for a device that was away, as far as it can remember them', () => {
    const { net, devices } = poolOf(2);
    const [storer, other] = [itemAt(devices, 0), itemAt(devices, 1)];
    const jobs = indicesOf(MAX_FORETOLD_JOBS + 3).map((index) => parseJobId(seededBytes(16, 700 + index)));
    for (const one of jobs) storer.input({ kind: 'foretell', job: one, to: other.id, blocks: hashes(1) });
    net.unlink(storer.id, other.id);
    for (const one of jobs) storer.input({ kind: 'soon-over', job: one });
    net.link(storer, other);
    expect(storer.sentTo(other.id, 'soon-over')).toHaveLength(MAX_FORETOLD_JOBS);
  });

  it('are planned for devices with room for their share twice', () => {
    const { net, devices } = poolOf(3);
    const [storer, narrow] = [itemAt(devices, 0), itemAt(devices, 1)];
    const manifest = manifestOf(storer.id);
    narrow.input({ kind: 'space', freeBytes: 3 * heldBytesOf(manifest) });
    net.pass(A_MOMENT_MS);
    const { homes, early } = storer.peer.anchoring.planHomes({ ...manifest, isPrivate: false });
    expect([...homes.values()].filter((home) => home === narrow.id)).toHaveLength(2);
    expect(early).toEqual(new Set([itemAt(devices, 2).id]));
  });
});
