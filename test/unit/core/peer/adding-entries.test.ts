// Entries that come or are written, and what follows for files, holdings and people.

import { describe, expect, it } from 'vitest';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../../src/core/catalogue/entry.ts';
import type { PeerEffect } from '../../../../src/core/peer/peer-events.ts';
import { GRACE_MS } from '../../../../src/core/model/limits.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileBody, itemAt, manifestOf, uncheckedEntry } from '../../../fixtures/pool-fixture.ts';
import { A_MOMENT_MS, Net, listener, poolOf } from '../../../fixtures/peer-net.ts';

/** All devices of the fixture are members. */
const MEMBER_COUNT = 8;

describe('a log that another device sends', () => {
  /** What `other` wrote: each entry follows the one at `prev` in the list, or begins the log. */
  function entriesOf(plan: readonly { prev?: number; at?: number; body: EntryBody }[]): CheckedEntry[] {
    const entries: CheckedEntry[] = [];
    for (const { prev, at = 1, body } of plan) {
      const before = prev === undefined ? undefined : itemAt(entries, prev).entry;
      const place = { seq: (before?.seq ?? 0) + 1, prev: before?.entryId, at: { ms: at, count: 0 } };
      const manifest = body.kind === 'file' ? manifestOf(deviceAt(1).deviceId) : undefined;
      entries.push(uncheckedEntry(deviceAt(1), place, body, manifest));
    }
    return entries;
  }

  function misdeeds(effects: readonly PeerEffect[]): [string, number][] {
    return effects.flatMap((effect): [string, number][] =>
      effect.kind === 'misdeed' ? [[effect.what, effect.count]] : [],
    );
  }

  it('is reported when it forks and when it is full, and files lost with evicted entries are dropped', () => {
    const { device, other } = listener();
    const { body, fileId } = fileBody('evicted');
    const forks = Array.from({ length: 40 }, (_, index) => ({
      prev: 0,
      body: { kind: 'unknown', fields: { kind: 'fork', index } } as const,
    }));
    const [trunk, file, ...others] = entriesOf([{ body: { kind: 'leave' } }, { prev: 0, body }, ...forks]);
    if (trunk === undefined || file === undefined) throw new Error('expected two items');
    device.input({ kind: 'entries-checked', from: other, entries: [trunk, file], more: false });
    device.hold(fileId, manifestOf(other), 3);
    // Only those that come before the file in branch order: eight of them leave no room for it.
    const before = others.filter(({ entry }) => entry.entryId < file.entry.entryId);
    const after = others.filter(({ entry }) => entry.entryId > file.entry.entryId);
    expect(Math.min(before.length, 9)).toBeGreaterThan(8);
    const effects = device.input({ kind: 'entries-checked', from: other, entries: before, more: false });
    expect(device.peer.catalogue.files().has(fileId)).toBe(false);
    expect(effects).toContainEqual({ kind: 'outbox-done', file: fileId, surplus: [3] });
    const forgotten = effects.find((effect) => effect.kind === 'forget-entries');
    expect(forgotten?.entries.map(({ entryId }) => entryId)).toEqual([file.entry.entryId]);
    expect(new Set(misdeeds(effects).map(([what]) => what))).toEqual(new Set(['forked-log', 'overfull-log']));
    const more = device.input({ kind: 'entries-checked', from: other, entries: after, more: false });
    expect(misdeeds(more)).toEqual([['overfull-log', after.length]]);
    expect(more.some(({ kind }) => kind === 'keep-entries')).toBe(false);
  });

  it('shows a pool name dated ahead when its time comes, and reports it before', () => {
    const { net, device, other } = listener();
    const dayMs = 24 * 60 * 60_000;
    const entries = entriesOf([
      { at: net.nowMs, body: { kind: 'pool', name: 'now' } },
      { at: net.nowMs + dayMs + 60_000, body: { kind: 'pool', name: 'later' } },
    ]);
    const told = device.input({ kind: 'entries-checked', from: other, entries, more: false });
    expect(misdeeds(told)).toContainEqual(['future-name', 1]);
    expect(device.peer.catalogue.poolName).toBe('now');
    net.pass(dayMs / 2 + 59_999);
    expect(device.peer.catalogue.poolName).toBe('now');
    net.pass(1);
    expect(device.peer.catalogue.poolName).toBe('later');
  });

  it('is reported with the number of its records that failed their check', () => {
    const { device, other } = listener();
    const told = device.input({
      kind: 'entries-checked',
      from: other,
      entries: [],
      refusedCount: 7,
      more: false,
    });
    expect(misdeeds(told)).toEqual([['forged-records', 7]]);
  });
});

describe('a removal of the files of others', () => {
  it('is reported when it counts, not each time that a device passes it on', () => {
    const { net, device, other } = listener();
    const writer = net.add(1);
    const files = indicesOf(12).map((index) => {
      const { body, fileId } = fileBody(`file ${index}`);
      writer.publish(body, manifestOf(other));
      return fileId;
    });
    device.input({ kind: 'entries-checked', from: other, entries: [...net.written.values()], more: false });
    const known = net.written.size;
    const remover = net.add(2);
    remover.publish({ kind: 'profile', name: 'Ann' });
    for (const file of files) remover.publish({ kind: 'remove', file });
    const [profile, ...removals] = [...net.written.values()].slice(known);
    if (profile === undefined) throw new Error('expected a profile');
    const hear = (entries: readonly CheckedEntry[]): PeerEffect[] =>
      device
        .input({ kind: 'entries-checked', from: other, entries, more: false })
        .filter(({ kind }) => kind === 'misdeed');
    // Without the entry before them they are orphans, and nothing is removed.
    for (let time = 0; time < 20; time++) expect(hear(removals)).toEqual([]);
    expect(hear([profile, ...removals])).toMatchObject([{ what: 'removed-files', count: 12 }]);
    expect(hear(removals)).toEqual([]);
  });
});

describe('removal', () => {
  it('drops the fragments everywhere once all members have it, and the outbox row with them', () => {
    const { net, devices } = poolOf(MEMBER_COUNT);
    const [a, b] = [itemAt(devices, 0), itemAt(devices, 1)];
    const { fileId } = a.store('short-lived');
    net.pass(A_MOMENT_MS);
    expect(a.peer.own.heldBytes).toBeGreaterThan(0);
    b.publish({ kind: 'remove', file: fileId });
    net.pass(A_MOMENT_MS);
    for (const { peer } of devices) {
      expect([peer.own.of(fileId).size, peer.own.heldBytes, peer.inOutbox(fileId)]).toEqual([0, 0, false]);
      expect(peer.holdersOf(fileId).size).toBe(0);
    }
  });

  it('of a file that is still being placed ends the placing', () => {
    const net = new Net();
    const a = net.add(0);
    const { fileId } = a.store('x');
    a.publish({ kind: 'remove', file: fileId });
    expect(a.effects.at(-1)?.kind).not.toBe('pull');
    expect([a.peer.inOutbox(fileId), a.peer.own.of(fileId).size]).toEqual([false, 8]);
    net.pass(GRACE_MS);
    expect(a.peer.own.of(fileId).size).toBe(0);
    expect(a.effects.some((effect) => effect.kind === 'outbox-done' && effect.surplus.length === 8)).toBe(
      true,
    );
  });

  it('takes in a fragment that arrives after it, and drops it with the others', () => {
    const net = new Net();
    const a = net.add(0);
    const { fileId, manifest } = a.store('x');
    a.publish({ kind: 'remove', file: fileId });
    net.pass(GRACE_MS);
    a.hold(fileId, manifest, 2);
    net.pass(GRACE_MS);
    expect(a.peer.own.of(fileId).size).toBe(0);
  });
});
