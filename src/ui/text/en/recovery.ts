// English: recovery codes, with which a pool gets an admin again.

import type { BadRecoveryCode } from '../../../core/model/failures.ts';

export function badRecoveryCode({ reason }: BadRecoveryCode): string {
  switch (reason) {
    case 'length':
      return 'A recovery code has 56 letters and digits, in 14 groups of four. Compare what you typed with the paper. Nothing has changed.';
    case 'characters':
      return 'There is a sign in it that no recovery code has: codes have digits, and letters other than U. Nothing has changed.';
    case 'mistyped':
      return 'A letter or digit of this code is not right. Compare each group with the paper. Nothing has changed.';
    case 'unknown':
      return 'This is no recovery code of this pool. If it was made a moment ago, keep Palm open here and on another device until both have met, and try again. Nothing has changed.';
    case 'used':
      return 'This recovery code was used before, or an older one was: the one that was shown then took its place. Nothing has changed.';
  }
}

export const recoveryTexts = {
  heading: 'Recovery code',
  why: 'If every admin’s device is lost, nobody can let devices in or shut them out any more. A recovery code on paper makes any device of the pool an admin again.',
  none: 'This pool has no recovery code.',
  some: 'This pool has a recovery code.',
  more: 'If the paper is lost, make another one. Earlier codes stay valid until one is used, so that nobody who takes this device can make your paper worthless.',
  make: 'Make a recovery code',
  making: 'Making…',
  use: 'Recover the pool',
  title: 'Keep this recovery code',
  once: 'It is shown this once, and kept nowhere. Print it, or write it down, and keep it apart from your devices.',
  danger:
    'Whoever has it, and a device of this pool, can take over the pool: make that device an admin, and shut out all others.',
  replaced:
    'This device is an admin now. The code that you typed is worth nothing any more; destroy it. This one takes its place.',
  label: 'Recovery code',
  print: 'Print',
  printed: (pool: string) => `Recovery code of the Palm pool “${pool}”`,
  howTo: 'To use it: open Palm on a device of the pool, then Pool settings, “Recover the pool”.',
  kept: 'I have it',
  useTitle: 'Recover the pool',
  useLead: 'Type the recovery code. This device becomes an admin, and gets a new code for the next time.',
  field: 'Recovery code',
  lost: 'Admins that are lost',
  whyLost:
    'Those that you choose are shut out at once, and the pool’s keys change. Choose a device that is lost or stolen; the others stay as they are.',
  recover: 'Recover',
  recovering: 'Recovering…',
};
