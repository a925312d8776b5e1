// Fragments of a content whose last known name was taken away: how long they stay, what brings the content
// back, and what makes them give way.

import { describe, expect, it } from 'vitest';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import { fileIdOf, type FileId } from '../../../../src/core/model/ids.ts';
import { GRACE_MS } from '../../../../src/core/model/limits.ts';
import { Grace } from '../../../../src/core/peer/grace.ts';
import {
  deviceAt,
  fileBody,
  fileIdAt,
  itemAt,
  manifestOf,
  uncheckedEntry,
} from '../../../fixtures/pool-fixture.ts';
import { A_MOMENT_MS, listener, Net, PULSE_MS, poolOf, type Device } from '../../../fixtures/peer-net.ts';

const OTHERS = [deviceAt(1).deviceId, deviceAt(2).deviceId];

/** The first entry of another device's log: a further name of `content`. */
function nameOf(content: FileId, device = 6): CheckedEntry {
  const sealed = encodeCbor({ content: `another name of ${content}` });
  const identity = deviceAt(device);
  const name = {
    content,
    details: { name: 'birthday.mov', path: 'For Anna', mime: '' },
    modifiedMs: 0,
    by: identity.deviceId,
    atMs: 1,
  };
  const place = { seq: 1, prev: undefined, at: { ms: 1, count: 0 } };
  const entry = uncheckedEntry(identity, place, { kind: 'name', sealed });
  return { ...entry, named: { nameId: fileIdOf(sealed), name } };
}

function hear(device: Device, entry: CheckedEntry): void {
  const from = deviceAt(7).deviceId;
  device.input({ kind: 'entries-checked', from, entries: [entry], more: false });
}

describe('the grace', () => {
  it('is over once every other member had the same catalogue afterwards, or after a week', () => {
    const grace = new Grace();
    grace.hasAll(itemAt(OTHERS, 0));
    grace.hasAll(itemAt(OTHERS, 1));
    grace.add(1_000, fileIdAt(1));
    expect(grace.over(1_000, () => OTHERS)).toEqual([]);
    expect(grace.waitsFor(OTHERS)).toEqual(OTHERS);
    grace.hasAll(itemAt(OTHERS, 0));
    expect(grace.waitsFor(OTHERS)).toEqual([OTHERS[1]]);
    expect(grace.over(1_000, () => OTHERS)).toEqual([]);
    grace.add(2_000, fileIdAt(2));
    expect(grace.waitsFor(OTHERS)).toEqual(OTHERS);
    grace.hasAll(itemAt(OTHERS, 1));
    expect(grace.over(2_000, () => OTHERS)).toEqual([fileIdAt(1)]);
    expect([grace.has(fileIdAt(1)), grace.has(fileIdAt(2))]).toEqual([false, true]);
    expect(grace.nextDeadlineMs()).toBe(2_000 + GRACE_MS);
    expect(grace.over(2_000 + GRACE_MS - 1, () => OTHERS)).toEqual([]);
    expect(grace.over(2_000 + GRACE_MS, () => OTHERS)).toEqual([fileIdAt(2)]);
    expect(grace.nextDeadlineMs()).toBe(Infinity);
    expect(grace.waitsFor(OTHERS)).toEqual([]);
  });

  it('does not wait for a member that left, and not at all where there is no other', () => {
    const grace = new Grace();
    grace.add(0, fileIdAt(1));
    grace.hasAll(itemAt(OTHERS, 0));
    expect(grace.over(0, () => OTHERS)).toEqual([]);
    grace.membersChanged();
    expect(grace.over(0, () => OTHERS.slice(0, 1))).toEqual([fileIdAt(1)]);
    grace.add(0, fileIdAt(2));
    expect(grace.over(0, () => [])).toEqual([fileIdAt(2)]);
  });

  it('goes on after a restart, and starts no later than now', () => {
    const grace = new Grace();
    grace.restore(
      new Map([
        [fileIdAt(1), 5_000],
        [fileIdAt(2), 90_000],
      ]),
    );
    for (const index of [1, 2, 3]) grace.add(10_000, fileIdAt(index));
    expect([...grace.all()]).toEqual([
      [fileIdAt(1), 5_000],
      [fileIdAt(2), 10_000],
      [fileIdAt(3), 10_000],
    ]);
  });

  it('does not end with a jump of the clock', () => {
    const grace = new Grace();
    grace.add(1_000, fileIdAt(1));
    grace.jumped(2 * GRACE_MS);
    expect(grace.over(2 * GRACE_MS + 1_000, () => OTHERS)).toEqual([]);
    grace.jumped(-3 * GRACE_MS);
    expect(grace.nextDeadlineMs()).toBe(1_000);
    expect(grace.over(999, () => OTHERS)).toEqual([]);
    expect(grace.over(1_000, () => OTHERS)).toEqual([fileIdAt(1)]);
  });

  it('gives up what was removed first, as much as is needed', () => {
    const grace = new Grace();
    for (const [index, ms] of [
      [1, 300],
      [2, 100],
      [3, 200],
    ] as const)
      grace.add(ms, fileIdAt(index));
    expect(grace.giveUp(15, () => 10)).toEqual([fileIdAt(2), fileIdAt(3)]);
    expect(grace.size).toBe(1);
  });
});

describe('a removed content', () => {
  it('comes back with a name that a merge brings, and is placed on', () => {
    const net = new Net();
    const device = net.add(0);
    const { fileId } = device.store('x');
    device.publish({ kind: 'remove', file: fileId });
    net.pass(GRACE_MS / 2);
    expect([device.peer.inOutbox(fileId), device.peer.own.of(fileId).size]).toEqual([false, 8]);
    hear(device, nameOf(fileId));
    net.pass(GRACE_MS);
    expect(device.peer.catalogue.namesOf(fileId)).toHaveLength(1);
    expect([device.peer.inOutbox(fileId), device.peer.own.of(fileId).size]).toEqual([true, 8]);
    expect([device.peer.grace.size, device.peer.own.spareBytes]).toEqual([0, 0]);
  });

  it('comes back to devices that forgot what the others hold, and to all of its holders', () => {
    const { net, devices } = poolOf(5);
    const { fileId } = itemAt(devices, 0).store('x');
    net.pass(A_MOMENT_MS);
    const before = devices.map(({ peer }) => peer.confirmedHoldersOf(fileId).size);
    itemAt(devices, 1).publish({ kind: 'remove', file: fileId });
    net.pass(3 * PULSE_MS);
    // Three members of the fixture are away: nobody drops anything.
    expect(devices.map(({ peer }) => peer.own.of(fileId).size)).not.toContain(0);
    for (const device of devices) hear(device, nameOf(fileId));
    net.pass(A_MOMENT_MS);
    expect(devices.map(({ peer }) => peer.confirmedHoldersOf(fileId).size)).toEqual(before);
    expect(itemAt(before, 0)).toBe(5);
  });

  it('that is private has no other name to wait for', () => {
    const device = new Net().add(0);
    const access = { kind: 'private', sealed: new Uint8Array(40) } as const;
    const { fileId } = device.store('x', { access });
    device.publish({ kind: 'remove', file: fileId });
    expect(device.peer.own.of(fileId).size).toBe(0);
    hear(device, nameOf(fileId));
    expect(device.peer.catalogue.files().has(fileId)).toBe(false);
  });

  it('is told to others at once, and ever less often while removals keep coming', () => {
    const { net, device, other } = listener();
    net.pass(2 * PULSE_MS);
    const pulseCount = (): number => device.sentTo(other, 'pulse').length;
    const before = pulseCount();
    for (let index = 0; index < 60; index++) {
      const { fileId } = device.store(`file ${index}`);
      device.publish({ kind: 'remove', file: fileId });
      net.pass(1);
      if (index === 0) expect(pulseCount()).toBe(before + 1);
      net.pass(19);
    }
    // In 1.2 s, after 0, 40, 120, 280 and 600 ms.
    expect(pulseCount() - before).toBeLessThanOrEqual(6);
  });

  it('gives way to fragments that need its space, which is offered meanwhile', () => {
    const net = new Net();
    const device = net.add(0);
    const { fileId } = device.store('x');
    device.publish({ kind: 'remove', file: fileId });
    const bytes = device.peer.own.bytesOf(fileId);
    device.input({ kind: 'space', freeBytes: 100 });
    expect(device.peer.own.freeBytes).toBe(100 + bytes);
    const storer = net.add(1);
    net.link(device, storer);
    const { fileId: next } = storer.store('y');
    net.pass(A_MOMENT_MS);
    expect(device.peer.own.of(fileId).size).toBe(0);
    expect(device.peer.own.of(next).size).toBeGreaterThan(0);
  });

  it('gives way when more is used than this device offers', () => {
    const device = new Net().add(0);
    const { fileId } = device.store('x');
    device.publish({ kind: 'remove', file: fileId });
    device.input({ kind: 'space', freeBytes: 0 });
    expect(device.peer.own.of(fileId).size).toBe(8);
    device.input({ kind: 'space', freeBytes: -1 });
    expect(device.peer.own.of(fileId).size).toBe(0);
  });

  it('pays first for what is on the disk beyond the offered space', () => {
    for (const [part, taken] of [
      [1.5, 0],
      [0.5, 3],
    ] as const) {
      const net = new Net();
      const device = net.add(0);
      const { fileId } = device.store('x');
      const bytes = device.peer.own.bytesOf(fileId);
      // Measured before the removal: nothing can go for it.
      device.input({ kind: 'space', freeBytes: -part * bytes });
      device.publish({ kind: 'remove', file: fileId });
      expect(device.peer.own.freeBytes).toBe(Math.max(0, bytes - part * bytes));
      const storer = net.add(1);
      net.link(device, storer);
      const { fileId: next } = storer.store('y');
      net.pass(A_MOMENT_MS);
      expect(device.peer.own.of(next).size).toBe(taken);
    }
  });

  it('is not kept for a further name while its own name stands', () => {
    const device = new Net().add(0);
    const { body, fileId } = fileBody('x');
    device.publish(body, manifestOf(device.id));
    const name = nameOf(fileId);
    hear(device, name);
    device.publish({ kind: 'unname', file: fileId });
    expect(device.peer.catalogue.namesOf(fileId)).toEqual([name.named?.nameId]);
    expect(device.peer.grace.size).toBe(0);
  });
});
