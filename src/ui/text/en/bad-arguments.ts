// English: what a call got that it cannot use.

import type { BadArgument } from '../../../core/model/bad-argument.ts';
import { quoted } from '../quotation.ts';
import { badInviteOption } from './invites.ts';
import { badPassphrase } from './locks.ts';
import { badQuota } from './quotas.ts';
import { badPart } from './two-pools.ts';
import { badUpgrade } from './upgrades.ts';

const DETAILS = { name: 'name', path: 'folder path', mime: 'type' };

const CLASSES = { alwaysOn: 'devices that are always on', laptop: 'laptops', phone: 'phones' };

export function badArgument(failure: BadArgument): string {
  switch (failure.reason) {
    case 'no-device':
      return 'This pool has no such device, or this device has not heard of it yet.';
    case 'too-many-out':
    case 'upgrade-too-large':
    case 'has-roles':
    case 'no-upgrade':
    case 'wrong-upgrade-code':
      return badUpgrade(failure);
    case 'no-part':
    case 'wrong-part-code':
    case 'no-offer':
    case 'part-out':
    case 'part-too-large':
      return badPart(failure);
    case 'no-role':
      return 'A role is admin, member or reader.';
    case 'no-name':
      return failure.of === 'file' ? 'A file needs a name.' : `Give the ${failure.of} a name.`;
    case 'invisible-name':
      return `Give the ${failure.of} a name that can be seen.`;
    case 'long-name':
      return `The ${failure.of}'s name is too long: at most ${failure.maxBytes} bytes.`;
    case 'characters':
      return `The ${DETAILS[failure.of]} has characters that cannot be kept.`;
    case 'long-file-name':
      return `The name is longer than ${failure.maxUnits} characters. Shorten it and add the file again.`;
    case 'long-detail':
      return `The ${DETAILS[failure.of]} is longer than ${failure.maxBytes} bytes. Shorten it and add the file again.`;
    case 'range':
      return `The range ${failure.start}..${failure.end} is not within the file's ${failure.size} bytes.`;
    case 'fragment-counts':
      return `k and n must be whole numbers with 1 <= k <= n <= ${failure.max}.`;
    case 'not-a-mirror':
      return 'With k = 1 every holder can read the file alone. Ask for a mirror to allow that.';
    case 'large-file':
      return `A file of ${failure.size} bytes is too large for k = ${failure.k}.`;
    case 'policy-parts':
      return failure.of === 'policy'
        ? 'A policy has graceMs, repairShare, k, n, storeBytes, giveBytes, rotateEveryMs, placement and anchors, and no other parts.'
        : 'graceMs of a policy has alwaysOn, laptop and phone, and no other parts.';
    case 'policy-grace':
      return `How long ${CLASSES[failure.of]} may be away must be a whole number of milliseconds from ${failure.minMs.toLocaleString('en')} to ${failure.maxMs.toLocaleString('en')}.`;
    case 'policy-placement':
      return `placement is 'anchored', with 1 to ${failure.max} devices of this pool that are always on, or 'spread', without any.`;
    case 'policy-share':
      return `The share of the link that repair may take must be from ${failure.min} to 1.`;
    case 'policy-counts':
      return `k and n of a policy must be whole numbers with ${failure.min} <= k <= n <= ${failure.max}. One that is left out stays as it is.`;
    case 'policy-rotation':
    case 'policy-quota':
      return badQuota(failure);
    case 'no-unfinished-store':
      return 'There is no such unfinished file here.';
    case 'store-goes-on':
      return `${quoted(failure.name)} is being stored already.`;
    case 'invite-role':
    case 'invite-uses':
    case 'invite-time':
    case 'no-invite':
    case 'endless-invite':
      return badInviteOption(failure);
    case 'short-passphrase':
    case 'long-passphrase':
    case 'no-passphrase':
    case 'passkey-only':
    case 'no-passkey':
    case 'has-passkey':
    case 'passkey-asked':
      return badPassphrase(failure);
    case 'too-many-files':
      return `At most ${failure.max.toLocaleString('en')} files can be named for re-keying. Nothing has changed; without names, all files that need it are re-keyed.`;
    case 'record-limit':
      return `A page of the record has from 1 to ${failure.max} entries.`;
    case 'record-place':
      return 'That is no device of a record, or no place in it.';
    case 'internal':
      return `Palm asked itself for what cannot be done: ${failure.detail}.`;
  }
}
