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

export const joinTexts = {
  heading: 'Join this pool?',
  lead: 'This device will keep encrypted pieces of the pool’s files, and can open and remove them like every other member.',
  /** `link`: to the same invite at `origin`. */
  madeElsewhere: (origin: string, link: Mark): ComponentChildren => [
    `This invite was made at ${origin}. Devices meet only where they open Palm at the same address: `,
    link('open it there'),
    '.',
  ],
  decline: 'Not now',
};
