// English: the lock of a device.

import type { Failure } from '../../../core/model/failures.ts';

type OfPassphrase = Extract<
  Failure,
  { readonly reason: 'short-passphrase' | 'long-passphrase' | 'no-passphrase' }
>;

export function badPassphrase(failure: OfPassphrase): string {
  switch (failure.reason) {
    case 'short-passphrase':
      return `A passphrase needs at least ${failure.minChars} characters. Several words that do not belong together are best.`;
    case 'long-passphrase':
      return `A passphrase may have at most ${failure.maxBytes} bytes.`;
    case 'no-passphrase':
      return 'This device has no lock yet. Choose a passphrase for it.';
  }
}

export function lockClosed({
  code,
}: Extract<Failure, { readonly code: 'locked' | 'wrong-passphrase' }>): string {
  return code === 'locked'
    ? 'This device is locked. Enter its passphrase to open it.'
    : 'That is not the passphrase of this device. Nothing has changed; try again.';
}
