// English: what a device may do in its pool, and what it is told when it may not.

import type { ComponentChildren } from 'preact';
import type { NotAllowed } from '../../../core/model/not-allowed.ts';
import type { Role } from '../../../core/model/role.ts';

export function notAllowed({ reason }: NotAllowed): string {
  switch (reason) {
    case 'reader':
      return 'This device is a reader of this pool: it opens files and keeps fragments, and cannot add or remove files. An admin can make it a member.';
    case 'file-of-another':
      return 'Another device added this file. Rename or remove it there, or ask an admin of the pool.';
    case 'private-name':
      return 'A private file keeps its name, which only its link opens. Nothing has changed.';
    case 'admins-only':
      return 'Only an admin of the pool can do that. Nothing has changed.';
    case 'first-admins-only':
      return 'Only the device that began the pool, or one that a recovery code made an admin, can make recovery codes. Nothing has changed.';
    case 'first-admins-join':
      return 'Only the device that upgraded this part of the pool, or one that a recovery code made an admin, can make two parts one. Nothing has changed.';
    case 'offered':
      return 'This part of the pool offers to be taken in by another one, where such a removal would not count. Remove the file afterwards, or take the offer back first. Nothing has changed.';
    case 'above':
      return 'That device is an admin of the same standing as this one, or above it. Only an admin above it can do that; nothing has changed.';
    case 'self':
      return 'A device cannot change its own role, or shut itself out. To go, leave the pool.';
    case 'last-admin':
      return 'This device is the only admin. Make another one an admin first, so that somebody can still let devices in. Nothing has changed.';
    case 'no-code':
      return 'Only this device may act on every admin, and the pool has no recovery code for when it is gone. Make a recovery code first, and keep it where the others find it. Nothing has changed.';
    case 'no-roles':
      return 'This pool was made before pools had roles: all of its devices may do the same. Upgrade it in Pool settings first.';
    case 'not-named':
      return 'The device that upgraded this pool had not heard of this one. Ask there for a new invite, leave this pool here, and join again. What this device stored stays here until it leaves.';
    case 'shut-out':
      return 'This device was shut out of the pool. If that is a mistake, ask an admin to let it back in.';
    case 'not-in':
      return 'No device of the pool that this one has met says that it was let in. Keep Palm open here and on another device of the pool.';
    case 'private-file':
      return 'A private file opens only by its link, which Palm does not keep, so it cannot be re-keyed. Add the file again, and remove the old one.';
    case 'keys-known':
      return 'The pool still has keys that a device knows that was shut out. Change the keys first, in Pool settings; nothing has changed.';
  }
}

export const roleTexts = {
  names: { admin: 'Admin', member: 'Member', reader: 'Reader' } satisfies Record<Role, string>,
  /** What each may do, as a sentence of its own. */
  may: {
    admin: 'Lets devices in, shuts them out, removes any file, changes settings.',
    member: 'Adds files, and removes those that it added.',
    reader: 'Opens files and keeps fragments, and adds nothing.',
  } satisfies Record<Role, string>,
  manage: (device: string) => `Role of ${device}`,
  title: (device: string) => `Role of ${device}`,
  pick: 'What this device may do',
  save: 'Change role',
  saving: 'Changing…',
  shutOut: 'Shut out',
  shutOutTitle: 'Shut this device out?',
  shutOutLead: (device: ComponentChildren): ComponentChildren => [
    device,
    ' can no longer link with the other devices, open files from them, or add or remove any. The fragments that it keeps no longer count, and are restored on the others. Files that it added stay.',
  ],
  shutOutLimits:
    'What it has already received cannot be taken back: files that it opened or saved, the names of all files until now, the fragments that it keeps, and the keys of before. With these it may open files of before if it gets hold of enough fragments. No device of the pool gives it any, and afterwards you can re-key these files. You can let it back in later.',
  shuttingOut: 'Shutting out…',
  keepIn: 'Keep it',
  out: 'Shut out of the pool',
  letBackIn: 'Let back in',
  letBackInOf: (device: string) => `Let ${device} back in`,
  outHere: (by: string) =>
    `${by} shut this device out of the pool. It can no longer open files from the others, add or remove any. If that is a mistake, ask there to let it back in; it is noticed here by itself. Otherwise leave the pool, which deletes what is stored here.`,
};
