// English: the first screen, and the one that asks before joining.

import type { ComponentChildren } from 'preact';
import type { Mark } from '../mark.ts';

export const welcomeTexts = {
  lead: 'Your phones and laptops keep your files together, on your own network.',
  facts: [
    'No cloud, no account, no internet',
    'Encrypted before it leaves this device',
    'Lose a device, keep the files',
  ],
  fileLinkWaits:
    'The link opens a private file of a pool. Join that pool here, and the file opens right after.',
  /** `origin`: where this page is. */
  fileLinkElsewhere: (origin: string) =>
    `If this device is in that pool already, it opened Palm at another address. What it keeps belongs to that address, and here, at ${origin}, it keeps nothing: open Palm there, and this link with that address in its place.`,
  start: 'Start a new pool',
  poolName: 'Pool name',
  /** A pool's name, before the person writes another. */
  firstPoolName: 'Home',
  create: 'Create a pool',
  creating: 'Creating…',
  orJoin: 'Or join one',
  howToJoin: 'On a device of the pool, choose “Invite a device”, then scan its code or paste its link.',
  scan: 'Scan a QR code',
  join: 'Join',
  joining: 'Joining…',
};

export const joiningTexts = {
  heading: 'Waiting to be let in',
  waiting:
    'No device of the pool is awake at the moment. Joining goes on by itself as soon as somebody opens Palm on one of them, here or after this page was closed and opened again.',
  asking: 'A device of the pool has answered, and is letting this one in.',
  connecting: 'Looking for the devices of the pool…',
  lost: 'The relay cannot be reached at the moment. Joining goes on by itself when it is there again.',
  until: (time: string) => `The invite is valid until ${time}.`,
  giveUp: 'Give up',
};

export const joinTexts = {
  heading: 'Join this pool?',
  lead: 'This device will keep encrypted pieces of the pool’s files, and can open and remove them like every other member.',
  /** `link`: to the same invite at `origin`. */
  madeElsewhere: (origin: string, link: Mark): ComponentChildren => [
    `This invite was made at ${origin}. If this device has used Palm there, its pool and what it keeps are there, and not at this address: `,
    link('open the invite there'),
    '. Devices of another relay are met there only.',
  ],
  decline: 'Not now',
};
