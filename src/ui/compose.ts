// The browser's composition: every adapter is made here, and nowhere else. `main.tsx` loads it once the first
// screen is drawn.

import { BufferPool } from '../adapters/portable/buffer-pool.ts';
import { openCodecPool } from '../adapters/portable/codec/codec-pool.ts';
import { openIdbStore } from '../adapters/browser/store/idb-store.ts';
import { BrowserSparing } from '../adapters/browser/page/sparing.ts';
import { ownDeviceClass } from '../adapters/browser/page/device-class.ts';
import { browserProbes } from '../adapters/browser/doctor/browser-probes.ts';
import { ownStorageIsEvictable } from '../adapters/browser/page/eviction.ts';
import { forgetIdentity, loadIdentity } from '../adapters/browser/page/identity.ts';
import { DownloadClaims } from '../adapters/browser/downloads/download-claims.ts';
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
import { enterLobby } from '../adapters/portable/links/lobby-client.ts';
import { LinkTransport } from '../adapters/portable/links/transport.ts';
import { mayReadSource, noticesChanges, openSource } from '../adapters/browser/page/source-files.ts';
import { bridgeToFragmentWorker } from '../adapters/portable/store/fragment-worker-bridge.ts';
import { systemClock } from '../adapters/portable/clock.ts';
import { MessagePauses } from '../adapters/portable/pauses.ts';
import { systemRandom } from '../adapters/portable/random.ts';
import { webCryptography } from '../adapters/portable/webcrypto.ts';
import { browserTabs } from '../adapters/browser/page/tabs.ts';
import { PalmError } from '../core/model/errors.ts';
import { openPalm } from '../runtime/palm.ts';
import type { RuntimePorts } from '../runtime/runtime-ports.ts';
import type { OpenDevice, Sharing } from '../runtime/tabs/seats.ts';
import { SharedPalm } from '../runtime/tabs/shared-palm.ts';
import type { DeviceRequest } from '../runtime/tabs/tab-ports.ts';
import type { WordlessPalm } from '../runtime/worded-palm.ts';
import type { DownloadStore } from './download/download-store.ts';
import type { LoadedParts } from './loaded-parts.ts';

export { probeRelay } from '../adapters/browser/page/relay-probe.ts';

export interface DeviceOpening {
  /** What this page asked for first. */
  readonly firstRequest: DeviceRequest;
  /** The version of the app. */
  readonly build: string;
  readonly sharing: (sharing: Sharing) => void;
  /** Another tab ended: what it had under way may go on in this one. */
  readonly tabEnded: () => void;
  /** Called when everything that was stored is deleted under this page. */
  readonly storageGone: () => void;
  /** The name to begin with. */
  readonly deviceName: string;
}

/** This browser's device, which its tabs share; `ready` resolves when it can be used. */
export function openDevice({ storageGone, ...given }: DeviceOpening, parts: LoadedParts): WordlessPalm {
  const shared = new SharedPalm({
    ...given,
    clock: systemClock,
    probes: browserProbes(),
    tabs: browserTabs,
    newId: () => crypto.randomUUID(),
    gone: storageGone,
    openOwn: () =>
      openOwn(parts, given.deviceName, () => {
        shared.tellLoss();
        storageGone();
      }),
  });
  return shared;
}

/** The device, run by this tab. */
function openOwn(parts: LoadedParts, suggestedDeviceName: string, storageGone: () => void): OpenDevice {
  const ending = new Ending();
  const ports = openPorts(ending.watched(parts), ending);
  void tellOfLoss(ports, storageGone);
  const palm = openPalm({ clock: systemClock, ports, probes: browserProbes(), suggestedDeviceName });
  return {
    palm,
    end() {
      ending.end();
      palm.end();
    },
  };
}

/**
 * Ends a device at once, as a crash would: another tab may open it in the next moment, so nothing may be
 * written after that. The workers have the files; their handles go with them.
 */
class Ending {
  readonly #workers = new Set<Worker>();
  readonly #transports = new Set<LinkTransport>();
  #isOver = false;

  watched({ startCodecWorker, startFragmentWorker, ...others }: LoadedParts): LoadedParts {
    return {
      ...others,
      startCodecWorker: () => this.#started(startCodecWorker),
      startFragmentWorker: () => this.#started(startFragmentWorker),
    };
  }

  /** Says goodbye on its links when the device ends. */
  watchedLinks(transport: LinkTransport): LinkTransport {
    this.#transports.add(transport);
    return transport;
  }

  /** `port`, whose methods reject once the device has ended. All of them return promises. */
  fenced<Port extends object>(port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name, target);
        if (typeof method !== 'function') return method;
        return async (...given: unknown[]): Promise<unknown> => {
          if (this.#isOver) throw movedOn();
          return Reflect.apply(method, target, given);
        };
      },
    });
  }

  end(): void {
    this.#isOver = true;
    for (const worker of this.#workers) worker.terminate();
    for (const transport of this.#transports) void transport.close();
  }

  #started(start: () => Worker): Worker {
    if (this.#isOver) throw movedOn();
    const worker = start();
    this.#workers.add(worker);
    return worker;
  }
}

function movedOn(): PalmError {
  return new PalmError({ code: 'other-tab', reason: 'has-device' });
}

/** This tab's downloads on this device's disk. */
export function openDownloadStore({ startOpfsWorker }: LoadedParts): DownloadStore {
  return new OpfsDownloads(new DownloadRecords(), new OpfsWriter(startOpfsWorker), new DownloadClaims());
}

async function tellOfLoss(opening: Promise<RuntimePorts>, storageGone: () => void): Promise<void> {
  const ports = await opening.catch(() => undefined); // `ready` reports it
  await ports?.storageGone;
  if (ports !== undefined) storageGone();
}

async function openPorts(parts: LoadedParts, ending: Ending): Promise<RuntimePorts> {
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
    identity: ending.fenced({ load: () => loadIdentity(store.secrets), forget: () => forgetIdentity() }),
    fragments: store.fragments,
    records: ending.fenced(small.records),
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
    isEvictable: ownStorageIsEvictable(),
    laneClient: store.laneClient(location.origin),
    createTransport: (keys, identity, door) => {
      const { poolId, signalingKey } = keys;
      const transport = new LinkTransport({
        ...ports,
        poolId,
        signalingKey,
        identity,
        door,
        wires,
        relayUrl: relayUrl(),
        Fallback: EventStreamSocket,
        connect: (...ends) => new WebRtcConnection(...ends),
        // Strangers at a door have one connection.
        mayUseSecond: door === undefined,
        watchLife: watchPageLife,
        onBug: reportError,
      });
      return ending.watchedLinks(transport);
    },
    nearby: {
      enter: (entry, events) =>
        enterLobby({ ...ports, url: relayUrl(), Fallback: EventStreamSocket }, entry, events),
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
