// English: the lock of a device.

import type { Failure } from '../../../core/model/failures.ts';

type OfPassphrase = Extract<
  Failure,
  {
    readonly reason:
      | 'short-passphrase'
      | 'long-passphrase'
      | 'no-passphrase'
      | 'passkey-only'
      | 'no-passkey'
      | 'has-passkey'
      | 'passkey-asked';
  }
>;

export function badPassphrase(failure: OfPassphrase): string {
  switch (failure.reason) {
    case 'short-passphrase':
      return `A passphrase needs at least ${failure.minChars} characters. Several words that do not belong together are best.`;
    case 'long-passphrase':
      return `A passphrase may have at most ${failure.maxBytes} bytes.`;
    case 'no-passphrase':
      return 'This device has no lock yet. Choose a passphrase for it.';
    case 'passkey-only':
      return 'No passphrase opens this device: its lock has a passkey alone. Nothing has changed.';
    case 'no-passkey':
      return 'This device’s lock has no passkey. Use its passphrase.';
    case 'has-passkey':
      return 'This device’s lock has a passkey already. Remove that one first: then another can take its place.';
    case 'passkey-asked':
      return 'A new passphrase beside a passkey needs the passkey as well. Nothing has changed; change the passphrase on the screen of this device.';
  }
}

type LockClosed = Extract<Failure, { readonly code: 'locked' | 'wrong-passphrase' | 'passkey-failed' }>;

export function lockClosed(failure: LockClosed): string {
  switch (failure.code) {
    case 'locked':
      return 'This device is locked. Unlock it first.';
    case 'wrong-passphrase':
      return 'That is not the passphrase of this device. Nothing has changed; try again.';
    case 'passkey-failed':
      return passkeyFailed(failure);
  }
}

function passkeyFailed(failure: Extract<LockClosed, { readonly code: 'passkey-failed' }>): string {
  switch (failure.reason) {
    case 'not-used':
      return 'The passkey was not used: its prompt was closed or ran out of time, or the passkey is no longer there. Nothing has changed; try again.';
    case 'no-secret':
      return 'What keeps this passkey cannot open a lock with it. Nothing has changed. Choose another place for the passkey (this device, a phone or a security key), or use a passphrase. If a passkey named Palm was made, you can delete it.';
    case 'wrong':
      return 'This passkey does not open this device. Nothing has changed.';
    case 'refused':
      return `The browser refused the passkey (${failure.detail}). Nothing has changed.`;
  }
}
