// At which doors a member waits.

import { expect, it } from 'vitest';
import { attendedDoors, type AttendedInvite } from '../../../../src/core/admission/attendance.ts';
import { MAX_DOORS } from '../../../../src/core/model/limits.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const [SELF, OTHER] = [deviceAt(0).deviceId, deviceAt(1).deviceId];
const HOUR_MS = 3_600_000;

function invite(id: string, expiresMs: number, change: Partial<AttendedInvite> = {}): AttendedInvite {
  return { id, issuer: OTHER, expiresMs, isLive: true, ...change };
}

it('somebody’s invites for a year do not keep one for an hour without a door, nor those that this device made', () => {
  const forAYear = Array.from({ length: MAX_DOORS }, (_, at) => invite(`year ${at}`, 8_760 * HOUR_MS));
  const own = invite('own', 9_000 * HOUR_MS, { issuer: SELF });
  const doors = attendedDoors([...forAYear, invite('hour', HOUR_MS), own], SELF, [SELF, OTHER]);
  expect(doors).toHaveLength(MAX_DOORS);
  expect(doors.slice(0, 2)).toEqual(['own', 'hour']);
});

it('invites that are over have a door only while there is room', () => {
  const over = invite('over', HOUR_MS, { isLive: false });
  const live = Array.from({ length: MAX_DOORS }, (_, at) => invite(`live ${at}`, 2 * HOUR_MS));
  expect(attendedDoors([over, ...live.slice(1)], SELF, [SELF])).toContain('over');
  expect(attendedDoors([over, ...live], SELF, [SELF])).not.toContain('over');
});
