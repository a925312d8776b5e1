// What happened in the pool: what is noted, what is one item, and what of it survives a reload.

import { describe, expect, it } from 'vitest';
import { ActivityList } from '../../../src/runtime/activity/activity-list.ts';
import { ActivityWatch, type PoolView } from '../../../src/runtime/activity/activity-watch.ts';
import { ToldActivity } from '../../../src/runtime/activity/told-activity.ts';
import { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../src/core/catalogue/entry.ts';
import type { MemberState, MemberStatus } from '../../../src/core/membership/member-state.ts';
import type { DeviceId } from '../../../src/core/model/ids.ts';
import { MAX_ACTIVITY_OF_KIND } from '../../../src/core/model/limits.ts';
import { ManualClock } from '../../fixtures/manual-clock.ts';
import {
  deviceAt,
  fileBody,
  fileIdAt,
  manifestOf,
  uncheckedEntry,
  write,
} from '../../fixtures/pool-fixture.ts';

const SELF = deviceAt(0).deviceId;
const BEN = deviceAt(1).deviceId;
const DAY_MS = 24 * 3_600_000;

function watching(list = new ActivityList()) {
  const clock = new ManualClock();
  const catalogue = new Catalogue(SELF);
  const states = new Map<DeviceId, MemberStatus>();
  let revision = 0;
  const peer: PoolView = {
    catalogue,
    membership: {
      get revision() {
        return revision;
      },
      of: (device) => states.get(device) ?? { state: 'reachable', sinceMs: 0, class: 'laptop', graceMs: 0 },
    },
  };
  const watch = new ActivityWatch({ clock, self: SELF, list });
  write(catalogue, deviceAt(0), clock.wallMs(), { kind: 'profile', name: 'Ada' });
  write(catalogue, deviceAt(1), clock.wallMs(), { kind: 'profile', name: 'Ben' });
  list.beganAtMs(clock.wallMs());
  return {
    clock,
    catalogue,
    peer,
    list,
    watch,
    told: () => new ToldActivity(list, catalogue, SELF).told().map(({ activity }) => activity),
    becomes(state: MemberState) {
      states.set(BEN, { state, sinceMs: clock.wallMs(), class: 'laptop', graceMs: 0 });
      revision += 1;
      watch.look(peer);
    },
    writes(by: number, ...bodies: EntryBody[]): CheckedEntry[] {
      return bodies.map((body) => write(catalogue, deviceAt(by), clock.wallMs(), body));
    },
  };
}

describe('a member', () => {
  it('that is gone and comes back is told with how long it was away, and each once', () => {
    const { becomes, clock, told, watch, peer, list } = watching();
    becomes('away');
    clock.advance(3 * DAY_MS);
    becomes('gone');
    becomes('gone');
    clock.advance(DAY_MS);
    becomes('reachable');
    watch.look(peer);
    const device = { id: BEN, name: 'Ben', isAmbiguous: false };
    expect(told()).toEqual([
      { kind: 'device-gone', device, forMs: 3 * DAY_MS },
      { kind: 'device-back', device, forMs: 4 * DAY_MS },
    ]);
    expect(list.items.map(({ id }) => id)).toEqual([1, 2]);
  });

  it('that was told to be gone is not told again after a reload, and its return is', () => {
    const before = watching();
    before.becomes('away');
    before.clock.advance(DAY_MS);
    before.becomes('gone');
    const list = new ActivityList();
    expect(list.restore(structuredClone(before.list.saved()))).toBe(0);
    expect(list.items).toEqual(before.list.items);
    const after = watching(list);
    after.becomes('gone');
    expect(list.items).toHaveLength(1);
    after.becomes('away');
    expect(list.items.map(({ id, happening }) => [id, happening.kind])).toEqual([
      [1, 'device-gone'],
      [2, 'device-back'],
    ]);
  });

  it('that leaves, removes files and changes the policy is told, in its own name', () => {
    const { watch, catalogue, peer, told, writes } = watching();
    const [one, two] = [fileBody('one'), fileBody('two')];
    for (const { body } of [one, two]) write(catalogue, deviceAt(0), 1, body, manifestOf(SELF));
    watch.entries(
      writes(
        1,
        { kind: 'policy', parts: { k: 3 } },
        { kind: 'policy', parts: { phone: 60_000 } },
        { kind: 'remove', file: one.fileId },
        { kind: 'remove', file: two.fileId },
        { kind: 'leave' },
      ),
      peer,
    );
    const by = { id: BEN, name: 'Ben', isAmbiguous: false };
    expect(told()).toEqual([
      { kind: 'policy-changed', by, isSelf: false, parts: { k: 3, phone: 60_000 } },
      { kind: 'device-left', device: by },
      { kind: 'file-removed', file: 'holiday.jpg', fileCount: 2, by },
    ]);
  });
});

it('what this device removes is not told, what it sets is; and what was before the list is no news', () => {
  const { clock, watch, peer, told, writes } = watching();
  watch.entries(writes(0, { kind: 'remove', file: fileIdAt(1) }, { kind: 'policy', parts: { n: 9 } }), peer);
  expect(told()).toMatchObject([{ kind: 'policy-changed', isSelf: true, parts: { n: 9 } }]);
  const place = { seq: 9, prev: undefined, at: { ms: clock.wallMs() - DAY_MS, count: 0 } };
  watch.entries([uncheckedEntry(deviceAt(1), { ...place, seq: 1 }, { kind: 'leave' })], peer);
  expect(told()).toHaveLength(1);
});

it('what repair restores for the same lost devices is one item, with how long the first was gone', () => {
  const { clock, watch, told, becomes } = watching();
  becomes('away');
  clock.advance(3 * DAY_MS);
  becomes('gone');
  watch.repaired(fileIdAt(1), 2, [BEN]);
  watch.repaired(fileIdAt(1), 1, [BEN]);
  expect(told()[1]).toMatchObject({ fileCount: 1, fragmentCount: 3, forMs: 3 * DAY_MS, file: '' });
  watch.repaired(fileIdAt(2), 1, [BEN]);
  expect(told()[1]).toMatchObject({ fileCount: 2, fragmentCount: 4, lostWith: [{ name: 'Ben' }] });
  clock.advance(2 * 3_600_000);
  watch.repaired(fileIdAt(2), 1, [BEN]);
  expect(told()).toHaveLength(3);
});

it('a private file has no name in the list, and nothing of it on the disk', () => {
  const { watch, catalogue, peer, told, writes, list } = watching();
  const { body, fileId } = fileBody('secret');
  const access = { kind: 'private', sealed: new Uint8Array(20) } as const;
  write(catalogue, deviceAt(0), 1, body, manifestOf(SELF, { access }));
  watch.entries(writes(1, { kind: 'remove', file: fileId }), peer);
  expect(told()).toMatchObject([{ kind: 'file-removed', file: undefined }]);
  expect(JSON.stringify(list.saved())).not.toMatch(/secret|Ben|holiday/u);
});

describe('the list', () => {
  it('keeps the newest of each kind, and one kind pushes out no other', () => {
    const list = new ActivityList();
    list.add(0, { kind: 'policy-changed', by: BEN, parts: { k: 3 } });
    for (let at = 1; at <= 3 * MAX_ACTIVITY_OF_KIND; at++) list.add(at, { kind: 'device-left', device: BEN });
    expect(list.items).toHaveLength(MAX_ACTIVITY_OF_KIND + 1);
    expect(list.items[0]?.happening.kind).toBe('policy-changed');
    expect(list.items.at(-1)?.atMs).toBe(3 * MAX_ACTIVITY_OF_KIND);
  });

  it('leaves out rows that do not decode, counts them, and never gives an id twice', () => {
    const list = new ActivityList();
    list.add(5, { kind: 'device-left', device: BEN });
    const saved = list.saved() as { items: unknown[] }; // as `saved` makes it
    const odd = {
      ...saved,
      lastId: 0,
      items: [...saved.items, 7, { id: 2, atMs: 1, happening: { kind: 'x' } }],
    };
    const again = new ActivityList();
    expect(again.restore(odd)).toBe(2);
    again.add(6, { kind: 'device-left', device: BEN });
    expect(again.items.map(({ id }) => id)).toEqual([1, 2]);
    for (const kept of [null, [], { items: [] }, { ...saved, gone: 7 }]) {
      expect(new ActivityList().restore(kept)).toBe(1);
    }
    expect(new ActivityList().restore(undefined)).toBe(0);
  });
});
