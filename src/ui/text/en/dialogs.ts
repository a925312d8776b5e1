// English: the dialogs.

import type { ComponentChildren } from 'preact';
import type { Mark } from '../mark.ts';
import type { InvitedRole } from '../../../core/model/role.ts';
import type { InviteStatus } from '../../../runtime/invite-api.ts';
import { countOf, formatBytes, formatShortDuration, formatUntil } from './units.ts';

const INVITED: Record<InvitedRole, string> = { member: 'member', reader: 'reader' };

export const inviteTexts = {
  title: 'Invite a device',
  lead: 'Scan this with the other device’s camera, or open the link on it. Both must be on the same network.',
  code: 'QR code of the invite',
  linkForOthers: 'Link for other devices',
  whoHasIt:
    'Whoever has this link can join, and read and remove the pool’s files. Share it only with people you trust.',
  /** Of the invite above. */
  shown: (invite: InviteStatus | undefined, nowMs: number) => {
    if (invite === undefined) return '';
    switch (invite.state) {
      case 'live':
        return `This invite lets in ${countOf(invite.uses - invite.used, 'device')} as ${INVITED[invite.role]}, until ${formatUntil(invite.expiresMs, nowMs)}. Whoever opens it first is in: share it only with people you trust.`;
      case 'used':
        return 'This invite has been used. Make another one for the next device.';
      case 'withdrawn':
        return 'This invite was withdrawn and lets nobody in.';
      case 'expired':
        return 'This invite has expired and lets nobody in.';
    }
  },
  another: 'Make another invite',
  devices: 'How many devices',
  countOf: (count: number) => countOf(count, 'device'),
  validFor: 'Valid for',
  timeOf: (ms: number) => formatShortDuration(ms),
  as: 'They join as',
  roles: { member: 'Members', reader: 'Readers' } satisfies Record<InvitedRole, string>,
  whatRoles:
    'Members add files and remove their own. Readers open files and keep pieces of them, and add nothing.',
  make: 'Make invite',
  live: 'Invites that let somebody in',
  liveInvite: ({ role, uses, used, expiresMs }: InviteStatus, nowMs: number) =>
    `${countOf(uses - used, 'device')} as ${INVITED[role]}, until ${formatUntil(expiresMs, nowMs)}`,
  withdraw: 'Withdraw',
  withdrawOf: (invite: string) => `Withdraw: ${invite}`,
  unreachable: (hostname: string) =>
    `Other devices cannot reach “${hostname}”. Open Palm here at the network address that the relay printed when it started, and invite from there.`,
  opensAt: (host: ComponentChildren): ComponentChildren => [
    'The code opens Palm at ',
    host,
    '. The first link works on this computer only, the second on others.',
  ],
};

export const fingerprintTexts = {
  label: 'Fingerprints of this relay',
  compare:
    'The other device warns about the certificate. Somebody else on the network could answer in the relay’s place, and would get this invite. So before anybody continues past the warning, or trusts the authority, compare the SHA-256 fingerprint that the warning or the system shows there: it must begin with these 32 digits (128 bits).',
  certificate: (digits: ComponentChildren): ComponentChildren => [
    'Certificate, in the browser’s warning: ',
    digits,
  ],
  authority: (digits: ComponentChildren): ComponentChildren => ['Authority, when it is installed: ', digits],
  source: 'This device has them from the relay. The terminal where the relay was started prints the same.',
};

export const leaveTexts = {
  title: 'Leave this pool?',
  lead: (heldBytes: number) =>
    `This browser forgets the pool and deletes the ${formatBytes(heldBytes)} of encrypted pieces that it holds for it. You can come back with a new invite; the pieces do not.`,
  nothingLost: 'The other devices hold enough to open every file without this one.',
  lost: (count: number, strong: Mark): ComponentChildren => [
    strong(count === 1 ? 'One file would be lost for good' : `${count} files would be lost for good`),
    `, because the other devices do not hold enough of ${count === 1 ? 'it' : 'them'}:`,
  ],
  /** In the list of files. */
  aPrivateFile: 'A private file',
  moreLost: (count: number) => `and ${count} more`,
  exposed: (count: number) =>
    count === 1 ? 'One file would survive no further loss.' : `${count} files would survive no further loss.`,
  whyHandOver:
    'Handing over first moves what this device holds to the others. It leaves when they have proved to have it.',
  handOver: 'Hand over first',
  handingOver: (doneCount: number, totalCount: number) =>
    `${doneCount.toLocaleString('en')} of ${countOf(totalCount, 'fragment')}. Keep this page open.`,
  handingOverLabel: 'Handing over',
  /** On the pool's screen, while the dialog is closed. */
  beforeLeaving: 'Before this device leaves',
  /** In steps of ten: screen readers read each one. */
  handedOverPercent: (percent: number) => `Handing over, ${percent} % done`,
  wouldLose: (count: number) =>
    count === 0
      ? 'If it left now, the others could open every file.'
      : `If it left now, ${count === 1 ? 'one file' : `${count} files`} would be lost.`,
  stay: 'Stay',
  /** Closes the dialog; the pool's screen shows how far it is. */
  goOn: 'Go on in the background',
  leave: 'Leave and delete',
  leaving: 'Leaving…',
};

export const openLinkTexts = {
  title: 'Open a private file',
  lead: 'Whoever stored the file has its link. With it, the file opens on this page until the page is closed.',
  link: 'Link',
  open: 'Open',
  opening: 'Opening…',
};

/** `count`: of links. */
export const privateLinkTexts = {
  title: (count: number) => (count === 1 ? 'Keep this link' : 'Keep these links'),
  warning: (count: number, strong: Mark): ComponentChildren => [
    strong(`Palm does not keep ${count === 1 ? 'it' : 'them'}.`),
    ` Without its link nobody can open a private file, not even this device once the page is closed. Copy ${count === 1 ? 'it' : 'each one'} to a safe place now.`,
  ],
  linkTo: (name: string) => `Link to “${name}”`,
  kept: (count: number) => (count === 1 ? 'I have kept it' : 'I have kept them'),
};

export const settingsTexts = {
  title: 'Pool settings',
  lead: 'They hold for all devices of the pool. Admins can change them.',
  away: 'How long a device may be away',
  whyAway:
    'A device that nobody heard of for longer counts as gone: the others restore what it held. It may still come back. Where nobody has changed this, Palm waits longer for devices that were often away for long, and for phones and laptops while most of a pool is away.',
  /** By class of device. */
  devices: { alwaysOn: 'Always on', laptop: 'Laptops', phone: 'Phones' },
  unitOf: (devices: string) => `${devices}: unit`,
  units: { seconds: 'seconds', minutes: 'minutes', hours: 'hours', days: 'days' },
  share: 'Part of the network for repairs, in percent',
  whyShare: 'What is lost is restored sooner with more, and everything else is faster with less.',
  badGrace: (devices: string) => `${devices}: enter a time from 10 seconds to 366 days.`,
  quotas: {
    storeBytes: 'What each device may store, in gigabytes',
    giveBytes: 'What a device that stores must give, in gigabytes',
  },
  whyQuotas: {
    storeBytes:
      'With its spare pieces a file takes about twice its size. Leave it empty for no limit. What is stored already stays.',
    giveBytes: 'Leave it empty to ask for nothing.',
  },
  badQuota: 'Enter a number of gigabytes from 0.001 up, or leave it empty.',
  rotate: 'Change the keys when they are so many days old',
  whyRotate: 'Leave it empty to change them only when a device is shut out, or by hand.',
  badRotate: 'Enter a number of days from 0.05 to 366, or leave it empty.',
  badShare: 'Enter a part of the network from 1 to 100 percent.',
  save: 'Save',
  saved: 'The pool’s settings were saved',
};

export const renameTexts = {
  title: 'Rename this device',
  save: 'Save',
};

export const scanTexts = {
  title: 'Scan an invite',
  lead: 'Point the camera at the QR code that the other device shows.',
  picture: 'Camera picture',
  light: 'Light',
  camera: 'Camera',
  /** One that has no name, from 1. */
  cameraOf: (number: number) => `Camera ${number}`,
};
