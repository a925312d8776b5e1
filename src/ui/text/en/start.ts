// English: the screen before the pool is open, or instead of it.

import type { PlatformNeed } from '../../platform-check.ts';

export const startTexts = {
  opening: 'Opening Palm…',
  otherTab: {
    heading: 'Palm is open in another tab of this browser',
    silent:
      'That tab runs this device, and does not answer. Switch to it for a moment, or close it: then this one goes on.',
    otherVersion:
      'That tab runs this device with another version of Palm. Reload it there, then here; or close it, and this one takes over.',
  },
  failed: {
    heading: 'Palm could not open',
    untouched: 'What this device holds has not been touched.',
    leave: 'Leave the pool instead…',
    whatLeavingDoes:
      'Leaving deletes the pool’s key and every encrypted piece in this browser. The other devices keep theirs, and you can come back with a new invite.',
  },
  gone: { heading: 'This browser’s data is gone', reload: 'Reload' },
  insecure: {
    heading: 'This address is not secure enough for Palm',
    hint: 'Browsers allow encryption only on https addresses, and on localhost. Open the address that begins with https:// which the relay printed when it started. On the computer that runs the relay, http://localhost works too.',
  },
  unfit: {
    heading: 'This browser cannot run Palm',
    lacks: 'It lacks:',
    hint: 'Open this address in an up-to-date Chrome, Edge, Firefox or Safari, outside of other apps.',
  },
  needs: {
    cryptography: 'cryptography (Web Crypto)',
    storage: 'storage (IndexedDB)',
    connections: 'connections between devices (WebRTC)',
    workers: 'background work (module workers)',
    wasm: 'WebAssembly',
    streams: 'byte streams',
    dialogs: 'dialogs',
  } satisfies Record<PlatformNeed, string>,
};
