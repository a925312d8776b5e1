// Invites by which more devices came in than they were for, with the names of these devices.

import type { Peer } from '../../core/peer/peer.ts';
import type { OverusedInviteStatus } from '../invite-api.ts';

/** Undefined without any. */
export function overusedStatus({
  acts,
  catalogue,
}: Pick<Peer, 'acts' | 'catalogue'>): readonly OverusedInviteStatus[] | undefined {
  const overused = acts.overused();
  if (overused.length === 0) return undefined;
  return overused.map(({ invite, uses, devices }) => ({
    id: invite,
    uses,
    devices: devices.map(({ device, admit: { id, by }, isBeyond }) => ({
      id: device,
      name: catalogue.deviceName(device),
      role: acts.roleOf(device) ?? 'member',
      byId: by,
      byName: catalogue.deviceName(by),
      atMs: acts.find(id)?.record.at.ms ?? 0,
      beyond: isBeyond,
    })),
  }));
}
