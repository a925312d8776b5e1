// English: what is wrong with a pairing code, and why a pairing ended.

import type { BadPairCode } from '../../../core/model/failures.ts';
import type { PairingEnd } from '../../../core/model/meeting-failures.ts';

export function badPairCode(failure: BadPairCode): string {
  switch (failure.reason) {
    case 'unreadable':
      return 'This is not a pairing code, or part of it is missing or mistyped. Scan it again, or copy it whole.';
    case 'missing':
      return failure.charCount === undefined
        ? 'This pairing code is cut short: most of it is missing. Scan it again, or copy it whole.'
        : `This pairing code is cut short: ${failure.charCount === 1 ? 'its last character is' : `its last ${failure.charCount} characters are`} missing. Scan it again, or copy it whole.`;
    case 'newer-version':
      return 'This pairing code was made by a newer Palm. Update this one, then try again.';
    case 'is-link':
      return 'This is an invite’s link, not a pairing code. Join with it where you enter links; it needs the relay.';
    case 'is-offer':
      return 'This is a first code, and this device waits for the answer to its own. On the other device, scan the code that this one shows, then scan what that device shows.';
    case 'is-answer':
      return 'This is an answer to another device’s code. Start on that device: scan the first code that it shows.';
    case 'own':
      return 'This is this device’s own code. Scan it with the other device.';
    case 'other-pool':
      return 'The other device is in another pool. A device is in one pool at a time: leave the pool on one of the two, then pair again.';
    case 'newcomer':
      return 'The other device is in no pool yet, and this one was not asked to let it in. Let it in, or pair with a device of the pool.';
    case 'no-pool':
      return 'Neither of the two devices is in a pool. Create one on either of them, then pair again.';
    case 'other-offer':
      return 'This is the answer to an earlier code. Start over on both devices, so that both are at the same step.';
    case 'no-offer':
      return 'This device shows no code that could be answered: it was used, or its time is over. Start over.';
  }
}

export function pairingFailed(reason: PairingEnd): string {
  switch (reason) {
    case 'no-address':
      return 'This device has no address in a network, so no other device can reach it. Turn on Wi-Fi, or join the other device’s hotspot, then start over.';
    case 'too-late':
      return 'Nobody answered the code in time, and it no longer works. Nothing is lost: start over on both devices.';
    case 'not-connected':
      return 'The codes were right, but the devices cannot reach each other. Check that both are in the same Wi-Fi, that no VPN is on, and that it is not a guest network, which keeps devices apart. Then start over.';
    case 'lost':
      return 'The connection to the other device ended before pairing was done. Keep Palm open on both, and start over.';
    case 'not-linked':
      return 'The devices found each other, but pairing was not done in time. Keep Palm open on both, and start over.';
    case 'already-linked':
      return 'No new link was made. The other device says that it is one that this device was linked with before, and nothing here shows that it is. If that one is in the list of devices as linked, the two need no pairing.';
    case 'may-not-invite':
      return 'The device that is in the pool may not let others in: only admins may. Pair with the device of an admin.';
    case 'not-understood':
      return 'The other device’s Palm does not fit this one’s. Update both, then start over.';
  }
}
