// English: alerts and passing messages. `name`: as it is shown. `why`: a whole sentence.

import { COPY_INTO_REPORT, FAILED_INSIDE } from './bugs.ts';
import { countOf } from './units.ts';

/** Characters of a path that a sentence quotes: enough to recognise it. */
const MAX_SHOWN_PATH_CHARS = 60;

function shownPath(path: string): string {
  return path.length > MAX_SHOWN_PATH_CHARS ? `${path.slice(0, MAX_SHOWN_PATH_CHARS)}…` : path;
}

export const messageTexts = {
  unexpected: (detail: string) =>
    `Something unexpected happened (${detail}). The files on your devices are untouched; reload and try again. If it happens again, it is a bug in Palm: ${COPY_INTO_REPORT}.`,
  /** Each sentence about a bug has one of these. */
  ofBugs: [COPY_INTO_REPORT, FAILED_INSIDE],
  stored: (name: string) => `“${name}” is stored`,
  deduplicated: (name: string) => `“${name}” was in the pool already`,
  notStored: (name: string, why: string) => `“${name}” was not stored. ${why}`,
  removed: (name: string) => `“${name}” is removed`,
  removedMany: (count: number) => `${countOf(count, 'file')} are removed`,
  notRemoved: (name: string, why: string) => `“${name}” was not removed and is still in the pool. ${why}`,
  notInLine: (count: number, most: number) =>
    `${countOf(count, 'file')} did not fit in line and ${count === 1 ? 'was' : 'were'} not added: at most ${most.toLocaleString('en')} are in line or listed as failed at a time. The others are being stored; add the rest when they are done.`,
  nothingToAdd: 'There were no files in it, so nothing was added',
  opened: (name: string) => `“${name}” is open on this page`,
  openedPrivate: 'The private file is open',
  /** `path`: of the address. */
  noSuchPage: (path: string) =>
    `There is no page at “${shownPath(path)}”. Palm has only this one. If you followed an invite, copy it again, whole, and paste it under “Invite link”.`,
  secondPool:
    'This browser is in a pool already, so the invite was not used. To join the other pool, leave this one first.',
  poolWithoutName: 'The pool has no name yet. Write one under “Pool name”; it can be anything.',
  noInvite: 'There is no invite yet. Paste it under “Invite link”, or scan its QR code.',
  copied: 'Copied',
  selected: 'Selected: copy it with your keyboard or the menu',
};

const INSTEAD = 'Scan the code with the device’s own camera app instead, or paste the invite link.';

export const cameraTexts = {
  notAnInvite: 'This QR code is not an invite to a pool. On the other device, choose “Invite a device”.',
  notAllowed: `Palm was not allowed to use the camera. ${INSTEAD}`,
  notFound: `No camera was found here. ${INSTEAD}`,
  inUse: `The camera is in use by another app. ${INSTEAD}`,
  notStarted: (detail: string) => `The camera did not start (${detail}). ${INSTEAD}`,
};
