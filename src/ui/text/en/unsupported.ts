// English: what this browser lacks.

import type { Failure } from '../../../core/model/failures.ts';

export function unsupported(failure: Extract<Failure, { readonly code: 'unsupported' }>): string {
  switch (failure.reason) {
    case 'no-files':
      return 'This browser has no file system of its own for Palm to write to.';
    case 'insecure-page':
      return 'Palm needs a secure page for its keys: open the https address that the relay shows, or http://localhost.';
    case 'no-ed25519':
      return 'This browser is too old for Palm: it cannot make Ed25519 keys. Update it (Chrome 137, Firefox 129, Safari 17 or later).';
    case 'coding':
      return 'The erasure code could not be started in this browser.';
    case 'large-download':
      return 'This browser cannot keep a file of this size while it arrives (a private window may be why). Nothing was saved; the pool still has the file. Download it in another browser, or on another device of the pool.';
    case 'no-lock':
      return 'This browser has no file that Palm can overwrite, so it cannot lock this device (a private window may be why). Nothing has changed.';
    case 'no-pairing':
      return 'This device cannot pair by codes. Join with an invite’s link instead.';
    case 'no-nearby':
      return 'This device cannot look for nearby pools, nor list its own. Join with an invite’s link instead.';
    case 'passkey-address':
      return 'Passkeys belong to names, and this page was opened at an address of numbers: no browser makes one for that. Use a passphrase here. (By its name, Palm would be another device of yours, with nothing on it yet.)';
    case 'no-passkeys':
      return 'There are no passkeys here. Use a passphrase.';
    case 'passkey-prf':
      return 'This browser signs you in with passkeys, but cannot have them open a lock (it lacks WebAuthn’s PRF extension). Use a passphrase, or a newer browser.';
    case 'wasm':
      return `The erasure code could not be started: ${failure.detail}.`;
  }
}
