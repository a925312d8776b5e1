// English: the upgrade of a pool of an earlier Palm.

import type { ComponentChildren } from 'preact';
import type { Failure } from '../../../core/model/failures.ts';

type BadUpgrade = Extract<
  Failure,
  {
    readonly reason: 'too-many-out' | 'upgrade-too-large' | 'has-roles' | 'no-upgrade' | 'wrong-upgrade-code';
  }
>;

export function badUpgrade(failure: BadUpgrade): string {
  switch (failure.reason) {
    case 'upgrade-too-large':
      return `Pools of more than ${failure.max} devices cannot be upgraded. Nothing has changed.`;
    case 'too-many-out':
      return `A recovery code shuts out ${failure.max} devices at most. Shut out the others afterwards. Nothing has changed.`;
    case 'has-roles':
      return 'This pool has roles already. Nothing has changed.';
    case 'no-upgrade':
      return 'No device of this pool that this one has met has made that upgrade. Nothing has changed.';
    case 'wrong-upgrade-code':
      return 'This is not the code of that upgrade. Read it once more on the device that upgraded the pool. If it shows this code, somebody else used its name: do not confirm. Nothing has changed.';
  }
}

export const upgradeTexts = {
  heading: 'Upgrade this pool',
  why: 'This pool was made by an earlier Palm: whoever has its invite is a member for good, and nobody can be shut out.',
  open: 'Upgrade this pool…',
  title: 'Upgrade this pool?',
  lead: 'This device becomes the pool’s admin, and the others members. All files stay.',
  changes: [
    'The old invite, and all links that were made of it, let nobody in any more. New invites end by themselves.',
    'Devices can be made admins or readers, or be shut out.',
    'Members remove only files that they added; admins remove all.',
    'On each other device, somebody confirms the upgrade once. Until then it goes on with those that have not confirmed, apart from the others.',
  ],
  when: 'Do it while all devices are linked: what they have not told this one yet is theirs alone.',
  keep: 'Devices that stay',
  whyKeep: 'Those that you take out are shut out. Files that they added stay.',
  upgrade: 'Upgrade',
  upgrading: 'Upgrading…',
  notNow: 'Not now',
  offered: (by: ComponentChildren): ComponentChildren => [
    by,
    ' upgraded this pool. Until you confirm it here, this device does not link with those that did.',
  ],
  offeredElse: (by: ComponentChildren): ComponentChildren => [
    by,
    ' upgraded this pool, and does not know this device. Ask there for a new invite, leave this pool here, and join again.',
  ],
  confirm: 'Confirm the upgrade…',
  confirmTitle: 'Confirm the upgrade?',
  confirmLead: (by: ComponentChildren): ComponentChildren => [
    by,
    ' becomes the pool’s admin: it lets devices in, shuts them out, and removes any file. This device becomes a member. It cannot be taken back.',
  ],
  sure: 'Anybody can give a device that name. So type the code that the device which upgraded the pool shows on its screen.',
  code: 'Code on that device',
  awaits: (names: ComponentChildren, count: number): ComponentChildren => [
    'The upgrade is not confirmed yet on ',
    names,
    `. Open Palm ${count === 1 ? 'there' : 'on each of them'}, choose to confirm, and type this code:`,
  ],
  codeHeading: 'Code of the upgrade',
  codeWhy: 'This pool was upgraded. Who confirms that on another device types this code there.',
  follow: 'Confirm',
  following: 'Confirming…',
};
