// English: locking this device, and opening it again.

import { countOf } from './units.ts';

export const lockTexts = {
  /** Opens the dialog. */
  open: 'Lock this device',
  title: 'Lock this device',
  lead: 'A passphrase seals the keys and names that this browser keeps. Without a lock, whoever takes this browser’s files is a member of the pool.',
  whatItMeans:
    'A locked device neither links nor serves until you enter the passphrase; its pieces come back then. It locks when you choose so, and each time Palm is closed or reloaded.',
  noWayBack:
    'Nobody can reset the passphrase. If it is lost, this device must leave the pool and join again; the other devices keep the files.',
  /** `count`: of files that wait to be stored. */
  waiting: (count: number) =>
    `${countOf(count, 'file')} ${count === 1 ? 'waits' : 'wait'} to be stored, and Palm forgets ${count === 1 ? 'it' : 'them'} when this device is locked. Let ${count === 1 ? 'it' : 'them'} finish first, or add ${count === 1 ? 'it' : 'them'} again afterwards.`,
  passphrase: 'Passphrase',
  newPassphrase: 'New passphrase',
  again: 'Passphrase again',
  differ: 'The two passphrases are not the same. Type them again.',
  set: 'Set and lock',
  setting: 'Locking…',
  hasLock: 'This device has a lock. It closes each time Palm is closed or reloaded.',
  lockNow: 'Lock now',
  change: 'Change and lock',
  changeAsks: 'This asks for the passkey as well, which goes on opening this device.',
  addAndLock: 'Add and lock',
  addPassphraseHeading: 'Add a passphrase',
  addPassphraseLead: 'A second way in, for the day on which the passkey is lost or deleted.',
  addPasskeyHeading: 'Add a passkey',
  addPasskeyLead:
    'Then your fingerprint, face, PIN or security key opens this device, and the passphrase stays as a second way. Your browser asks twice: to make the passkey, and to try it.',
  passkeyAloneHeading: 'Or a passkey alone',
  passkeyAloneLead:
    'Your fingerprint, face, PIN or security key opens this device, and nothing else does: if the passkey is lost or deleted, this device must leave the pool and join again. With a passphrase first, you can add a passkey and have two ways. Your browser asks twice: to make the passkey, and to try it.',
  passkeyAlone: 'Lock with a passkey alone',
  removePasskeyHeading: 'Remove the passkey',
  passphraseThatStays: 'Passphrase that stays',
  removePasskeyHint: 'Then this passphrase is the only way in.',
  removePasskey: 'Remove the passkey and lock',
  removeWithPasskey: 'Remove the lock with the passkey',
  changeHeading: 'Change the passphrase',
  removeHeading: 'Remove the lock',
  removeHint: 'Then whoever takes this browser’s files is a member of the pool again.',
  remove: 'Remove the lock',
  removing: 'Removing…',
  removed: 'This device has no lock any more',
};

export const unlockTexts = {
  heading: 'This device is locked',
  lead: 'The passphrase opens the pool. Until then this device neither links nor serves.',
  leadPasskey: 'The passkey opens the pool. Until then this device neither links nor serves.',
  withPasskey: 'Unlock with the passkey',
  or: 'The second way, if the passkey is not at hand.',
  unlock: 'Unlock',
  unlocking: 'Unlocking…',
  empty: 'Enter the passphrase first.',
  forgotten: 'Is the passphrase lost? Nobody can reset it.',
  forgottenPasskey:
    'Is the passkey lost or deleted? Nothing else opens this device. It can leave the pool and join again; the other devices keep the files.',
  forgottenBoth: 'Are both lost? Nobody can reset them.',
};
