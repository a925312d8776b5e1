// The invite of a simulated device's pool, at once, as it lies on its disk. Simulated pools are without a
// charter, unless a test says otherwise: their invite is the pool's secret.

import { decodeInvite, type Invite } from '../../src/core/model/invite.ts';
import type { SimDevice } from './device.ts';

/** What follows `#/join/`. */
export function openInviteOf({ store }: Pick<SimDevice, 'store'>): string {
  const kept = store.contents().secrets.get('pool-invite');
  if (kept === undefined) throw new Error('the device is in no pool');
  return new TextDecoder().decode(kept);
}

export function poolSecretOf(device: Pick<SimDevice, 'store'>): Invite {
  return decodeInvite(openInviteOf(device));
}
