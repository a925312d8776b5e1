// English: what is wrong with a link that was pasted, typed or scanned.

import type { Failure } from '../../../core/model/failures.ts';
import { endedInvite } from './invites.ts';

type BadInvite = Extract<Failure, { readonly code: 'bad-invite' }>;

export function badInvite(failure: BadInvite): string {
  switch (failure.reason) {
    case 'unreadable':
      return 'This link cannot be read: part of it is missing or mistyped. Copy or scan it again, whole.';
    case 'expired':
    case 'used':
    case 'withdrawn':
    case 'shut-out':
      return endedInvite(failure.reason);
    case 'upgraded':
      return 'This pool was upgraded, and its old invite lets nobody in any more. Ask an admin of the pool for a new one: “Invite a device”.';
    case 'newer-version':
      return 'This link was made by a newer Palm. Update this one, then try again.';
    case 'other-kind':
      return failure.wanted === 'join'
        ? 'This is the link of a private file, not an invite. On a device of the pool, choose “Invite a device” and copy its link.'
        : 'This is an invite, not the link of a private file. Ask whoever stored the file for its link.';
    case 'missing':
      return `This link cannot be read: ${missingPart(failure)}. Copy or scan it again, whole.`;
  }
}

function missingPart({ part, charCount }: Extract<BadInvite, { readonly reason: 'missing' }>): string {
  const what = LINK_PARTS[part];
  if (charCount === undefined) return `${what.name}, which follows ${what.after}, is missing`;
  return `${charCount === 1 ? 'the last character' : `the last ${charCount} characters`} of ${what.name} ${charCount === 1 ? 'is' : 'are'} missing`;
}

const LINK_PARTS = {
  invite: { name: 'the secret of the invite', after: '“#/join/”' },
  'file-id': { name: 'the file’s id', after: '“#/file/”' },
  'link-key': { name: 'the file’s key', after: 'its id and a slash' },
};
