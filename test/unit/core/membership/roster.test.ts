import { expect, it } from 'vitest';
import { Roster } from '../../../../src/core/membership/roster.ts';
import { type DeviceId, deviceIdOf } from '../../../../src/core/model/ids.ts';
import { MAX_DEVICE_COUNT } from '../../../../src/core/model/limits.ts';

function device(number: number): DeviceId {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setUint32(0, number);
  return deviceIdOf(key);
}

it('knows a member as evictable, however many said so before that never became members', () => {
  const roster = new Roster({ graceMs: () => 1_000, isGraceSet: () => false });
  const [early, late] = [device(1), device(2)];
  for (const member of [early, late]) roster.add(member, 'away', 0);
  roster.setEvictable(early, true);
  const strangers = Array.from({ length: MAX_DEVICE_COUNT }, (_each, index) => device(10 + index));
  for (const stranger of strangers) roster.setEvictable(stranger, true);
  roster.setEvictable(late, true);
  const known = [early, late, ...strangers].filter((each) => roster.isEvictable(each));
  expect(known).toHaveLength(MAX_DEVICE_COUNT);
  expect(known.slice(0, 2)).toEqual([early, late]);
});
