// The browser's composition: every adapter is made here, and nowhere else.

import { BufferPool } from '../adapters/portable/buffer-pool.ts';
import { startCodecWorker, startFragmentWorker, startOpfsWorker } from './start-workers.ts';
import { openCodecPool } from '../adapters/browser/codec/codec-pool.ts';
import { openIdbStore } from '../adapters/browser/store/idb-store.ts';
import { forgetIdentity, loadIdentity } from '../adapters/browser/page/identity.ts';
import { OpfsDownloads } from '../adapters/browser/downloads/opfs-downloads.ts';
import { OpfsWriter } from '../adapters/browser/downloads/opfs-writer.ts';
import { DownloadRecords } from '../adapters/browser/downloads/opfs-records.ts';
import { watchPageLife } from '../adapters/browser/page/page-life.ts';
import { WebRtcConnection } from '../adapters/browser/webrtc-connection.ts';
import { persistStorage, storageEstimate } from '../adapters/browser/page/quota.ts';
import { LinkTransport } from '../adapters/portable/links/transport.ts';
import { mayReadSource, noticesChanges, openSource } from '../adapters/browser/page/source-files.ts';
import { bridgeToFragmentWorker } from '../adapters/browser/store/fragment-worker-bridge.ts';
import { systemClock } from '../adapters/portable/clock.ts';
import { systemRandom } from '../adapters/portable/random.ts';
import { webCryptography } from '../adapters/portable/webcrypto.ts';
import type { Palm } from '../runtime/api.ts';
import { openPalm } from '../runtime/palm.ts';
import type { RuntimePorts } from '../runtime/runtime-ports.ts';
import type { DownloadStore } from './download/download-store.ts';
import { guessDeviceName } from './text/device-name.ts';
import { words } from './text/words.ts';

declare global {
  // The public face for scripts and tests; docs/API.md describes it.
  var palm: Palm;
}

/**
 * Opens this browser's device once `acquired` (the tab's turn to run it) resolves, and offers it as
 * `window.palm` immediately; `palm.ready` resolves when it can be used. `isElsewhere` returns whether another
 * tab has the device.
 */
export function openBrowserPalm(acquired: Promise<unknown>, isElsewhere: () => boolean): Palm {
  const palm = openPalm({
    clock: systemClock,
    texts: words,
    suggestedDeviceName: guessDeviceName(navigator.userAgent),
    ports: acquired.then(openPorts),
    isElsewhere,
  });
  globalThis.palm = palm;
  return palm;
}

/** Unfinished downloads on this device's disk; for the tab that has the device. */
export function openDownloadStore(): DownloadStore {
  return new OpfsDownloads(new DownloadRecords(), new OpfsWriter(startOpfsWorker));
}

async function openPorts(): Promise<RuntimePorts> {
  const memory = new BufferPool();
  const store = bridgeToFragmentWorker(memory, startFragmentWorker);
  // It takes over the data of an earlier version before anything reads.
  await store.opened();
  const { records } = await openIdbStore();
  const ports = { clock: systemClock, random: systemRandom, memory, cryptography: webCryptography };
  return {
    ...ports,
    identity: { load: loadIdentity, forget: forgetIdentity },
    fragments: store.fragments,
    records,
    journal: store.journal,
    secrets: store.secrets,
    sources: { noticeChanges: noticesChanges(), mayRead: mayReadSource, open: openSource },
    codec: openCodecPool({ memory, createWorker: startCodecWorker }),
    quota: { estimate: storageEstimate, persist: persistStorage },
    createTransport: (keys, identity) => {
      const { poolId, signalingKey } = keys;
      return new LinkTransport({
        ...ports,
        poolId,
        signalingKey,
        identity,
        relayUrl: relayUrl(),
        connect: (initiator, events) => new WebRtcConnection(initiator, events),
        watchLife: watchPageLife,
        onBug: reportError,
      });
    },
    // The app has one page, also if another path led to it.
    appUrl: `${location.origin}/`,
  };
}

/** The relay is the server of this page. */
function relayUrl(): string {
  const url = new URL('/relay', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
