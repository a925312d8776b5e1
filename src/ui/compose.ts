// The browser's composition: every adapter is made here, and nowhere else. `main.tsx` loads it once the first
// screen is drawn.

import { BufferPool } from '../adapters/portable/buffer-pool.ts';
import { openCodecPool } from '../adapters/portable/codec/codec-pool.ts';
import { openIdbStore } from '../adapters/browser/store/idb-store.ts';
import { BrowserSparing } from '../adapters/browser/page/sparing.ts';
import { ownDeviceClass } from '../adapters/browser/page/device-class.ts';
import { browserProbes } from '../adapters/browser/doctor/browser-probes.ts';
import { forgetIdentity, loadIdentity } from '../adapters/browser/page/identity.ts';
import { OpfsDownloads } from '../adapters/browser/downloads/opfs-downloads.ts';
import { OpfsWriter } from '../adapters/browser/downloads/opfs-writer.ts';
import { DownloadRecords } from '../adapters/browser/downloads/opfs-records.ts';
import { EventStreamSocket } from '../adapters/browser/page/event-stream-socket.ts';
import { watchPageLife } from '../adapters/browser/page/page-life.ts';
import { WebRtcPairConnection } from '../adapters/portable/links/pair-connection.ts';
import { SignalWires } from '../core/pairing/signal-wires.ts';
import { WebRtcConnection } from '../adapters/portable/links/webrtc-connection.ts';
import { StorageWatch } from '../adapters/portable/storage-watch.ts';
import { persistStorage, storageEstimate, type StorageEstimate } from '../adapters/browser/page/quota.ts';
import { LinkTransport } from '../adapters/portable/links/transport.ts';
import { mayReadSource, noticesChanges, openSource } from '../adapters/browser/page/source-files.ts';
import { bridgeToFragmentWorker } from '../adapters/portable/store/fragment-worker-bridge.ts';
import { systemClock } from '../adapters/portable/clock.ts';
import { MessagePauses } from '../adapters/portable/pauses.ts';
import { systemRandom } from '../adapters/portable/random.ts';
import { webCryptography } from '../adapters/portable/webcrypto.ts';
import { openPalm } from '../runtime/palm.ts';
import type { RuntimePorts } from '../runtime/runtime-ports.ts';
import type { WordlessPalm } from '../runtime/worded-palm.ts';
import type { DownloadStore } from './download/download-store.ts';
import type { LoadedParts } from './loaded-parts.ts';

export { probeRelay } from '../adapters/browser/page/relay-probe.ts';

export interface DeviceOpening {
  /** Resolves when it is the tab's turn to run the device. */
  readonly acquired: Promise<unknown>;
  /** Returns whether another tab has the device. */
  readonly isElsewhere: () => boolean;
  /** Called when everything that was stored is deleted under this page. */
  readonly storageGone: () => void;
  /** The name to begin with. */
  readonly suggestedDeviceName: string;
}

/** Opens this browser's device; its `ready` resolves when it can be used. */
export function openDevice(
  { acquired, storageGone, ...given }: DeviceOpening,
  parts: LoadedParts,
): WordlessPalm {
  const ports = acquired.then(() => openPorts(parts));
  void tellOfLoss(ports, storageGone);
  return openPalm({ clock: systemClock, ports, probes: browserProbes(), ...given });
}

/** Unfinished downloads on this device's disk; for the tab that has the device. */
export function openDownloadStore({ startOpfsWorker }: LoadedParts): DownloadStore {
  return new OpfsDownloads(new DownloadRecords(), new OpfsWriter(startOpfsWorker));
}

async function tellOfLoss(opening: Promise<RuntimePorts>, storageGone: () => void): Promise<void> {
  const ports = await opening.catch(() => undefined); // `ready` reports it
  await ports?.storageGone;
  if (ports !== undefined) storageGone();
}

async function openPorts(parts: LoadedParts): Promise<RuntimePorts> {
  const memory = new BufferPool();
  const store = bridgeToFragmentWorker(memory, parts.startFragmentWorker);
  // It takes over the data of an earlier version before anything reads.
  await store.opened();
  const small = await openIdbStore(undefined, () => watch.found());
  const watch = new StorageWatch(systemClock, [() => small.check(), () => store.check()]);
  const wires = new SignalWires();
  const ports = { clock: systemClock, random: systemRandom, memory, cryptography: webCryptography };
  return {
    ...ports,
    pauses: new MessagePauses(),
    identity: { load: () => loadIdentity(store.secrets), forget: () => forgetIdentity() },
    fragments: store.fragments,
    records: small.records,
    journal: store.journal,
    secrets: store.secrets,
    lock: store.lock,
    storageGone: watch.gone,
    sources: { noticeChanges: noticesChanges(), mayRead: mayReadSource, open: openSource },
    codec: openCodecPool({ memory, createWorker: parts.startCodecWorker }),
    quota: {
      estimate: () => estimateWithout(store.holeBytes()),
      persist: persistStorage,
      spendReserve: () => store.spendReserve(),
      restoreReserve: () => store.restoreReserve(),
    },
    sparing: new BrowserSparing(),
    deviceClass: ownDeviceClass(),
    laneClient: store.laneClient(location.origin),
    createTransport: (keys, identity, door) => {
      const { poolId, signalingKey } = keys;
      return new LinkTransport({
        ...ports,
        poolId,
        signalingKey,
        identity,
        door,
        wires,
        relayUrl: relayUrl(),
        Fallback: EventStreamSocket,
        connect: (initiator, events) => new WebRtcConnection(initiator, events),
        watchLife: watchPageLife,
        onBug: reportError,
      });
    },
    pairing: { wires, connect: (events) => new WebRtcPairConnection(events) },
    // The app has one page, also if another path led to it.
    appUrl: `${location.origin}/`,
  };
}

/** What is free within this origin's files counts as free: it is written before the files grow. */
async function estimateWithout(holes: Promise<number>): Promise<StorageEstimate> {
  const [{ usedBytes, quotaBytes }, holeBytes] = await Promise.all([storageEstimate(), holes]);
  return { usedBytes: Math.max(0, usedBytes - holeBytes), quotaBytes };
}

/** The relay is the server of this page. */
function relayUrl(): string {
  const url = new URL('/relay', location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
