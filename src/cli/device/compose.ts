// The composition of a Node device: every adapter is made here, and nowhere else.

import { availableParallelism, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import portableWasm from '@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm?url&inline';
import { DirectHost } from '../../adapters/node/direct-host.ts';
import { loadDirectKeys, moveDirectKeys } from '../../adapters/node/direct-keys.ts';
import { diskSpace } from '../../adapters/node/disk-space.ts';
import { nodeProbes } from '../../adapters/node/doctor/node-probes.ts';
import { reachableAddresses } from '../../adapters/node/lan-addresses.ts';
import { loadDataChannels, loadWebRtc } from '../../adapters/node/node-webrtc.ts';
import { NodeRelaySocket } from '../../adapters/node/relay-socket.ts';
import type { DeviceFolder } from '../../adapters/node/store/device-folder.ts';
import { SqliteDatabase } from '../../adapters/node/store/sqlite-database.ts';
import { ThreadWorker } from '../../adapters/node/thread-worker.ts';
import { BufferPool } from '../../adapters/portable/buffer-pool.ts';
import { systemClock } from '../../adapters/portable/clock.ts';
import { openCodecPool } from '../../adapters/portable/codec/codec-pool.ts';
import { identityOf, keyAmong, newKeyAmong } from '../../adapters/portable/device-key.ts';
import { compileErasureKernel } from '../../adapters/portable/erasure-code.ts';
import type { PageLife } from '../../adapters/portable/links/connection.ts';
import { LinkTransport } from '../../adapters/portable/links/transport.ts';
import { WebRtcConnection } from '../../adapters/portable/links/webrtc-connection.ts';
import { MessagePauses } from '../../adapters/portable/pauses.ts';
import { systemRandom } from '../../adapters/portable/random.ts';
import { StorageWatch } from '../../adapters/portable/storage-watch.ts';
import { bridgeToFragmentWorker } from '../../adapters/portable/store/fragment-worker-bridge.ts';
import { RowRecordStore } from '../../adapters/portable/store/record-store.ts';
import { webCryptography } from '../../adapters/portable/webcrypto.ts';
import type { LaneHost } from '../../core/lane-port.ts';
import { encodeDirectAddress } from '../../core/pairing/direct-address.ts';
import { SignalWires } from '../../core/pairing/signal-wires.ts';
import type { SecretStore } from '../../core/ports.ts';
import type { Diagnosis } from '../../runtime/doctor-api.ts';
import { examine } from '../../runtime/doctor/gathering.ts';
import { inWords } from '../../runtime/doctor/worded-diagnosis.ts';
import { openPalm } from '../../runtime/palm.ts';
import type { ServedAsk } from '../../runtime/served-ask.ts';
import type { RuntimePorts } from '../../runtime/runtime-ports.ts';
import { WordedPalm } from '../../runtime/worded-palm.ts';
import { words } from '../../ui/text/words.ts';
import { relayUrlIn, SETTINGS_FILE } from './saved-relay.ts';
import relaxedWasm from '../../wasm/build/kernel-relaxed.wasm?url&inline';
import simdWasm from '../../wasm/build/kernel-simd.wasm?url&inline';

/** A goodbye is on its way after this, ms: links give theirs 100 ms. */
const GOODBYE_MS = 250;
/** In the device's folder. */
const DIRECT_FILE = 'direct.json';

export interface DeviceSettings {
  /** The name to begin with. */
  readonly deviceName: string;
  /** Where the relay listens: ws: or wss:, with the path. Read when a pool is opened. */
  readonly relayUrl: () => string;
  /** What invites begin with. */
  readonly appUrl: () => string;
  /** Where it runs next to a relay. */
  readonly laneHost: LaneHost | undefined;
  /** Is told what was served to others for their requests. */
  readonly served: (served: ServedAsk) => void;
  /** Is told of bytes that an audit of another device fetched. */
  readonly audited: (bytes: number) => void;
  /** Is told exceptions that are bugs. */
  readonly onBug: (error: unknown) => void;
}

export interface NodeDevice {
  readonly palm: WordedPalm;
  /** Follows an invite: where this device answers by itself (core/pairing/direct-address.ts). */
  directAddress(): Promise<string>;
  /** Says goodbye on all links. What was acknowledged is on the disk already. */
  close(): Promise<void>;
}

/**
 * Buffers that are kept for the next blocks. A read has up to 8 MiB of them on their way from the disk at
 * times: with fewer, Node makes new ones, and lets 64 MB of what was dropped gather before it collects any.
 */
const MAX_FREE_BYTES = 16 * 2 ** 20;

/** Opens the device that lives in a folder; its `palm.ready` resolves when it can be used. */
export function openNodeDevice(folder: DeviceFolder, settings: DeviceSettings): NodeDevice {
  const lives = new Set<PageLife>();
  const wires = new SignalWires();
  const ports = openPorts(folder, settings, lives, wires);
  const palm = openPalm({
    clock: systemClock,
    ports,
    suggestedDeviceName: settings.deviceName,
    // The relay may be another by the time that somebody asks.
    get probes() {
      return nodeProbes({ relayUrl: settings.relayUrl(), folder: folder.path });
    },
  });
  const hosting = openHost(folder, wires, settings);
  return {
    palm: new WordedPalm(palm, words),
    async directAddress() {
      const address = (await hosting)?.address;
      return address === undefined ? '' : encodeDirectAddress(address);
    },
    async close() {
      (await hosting)?.close();
      for (const life of lives) life.leaving();
      await new Promise((resolve) => setTimeout(resolve, GOODBYE_MS));
    },
  };
}

/** What can be found out about a folder and its relay while no device runs there. */
export async function diagnoseAlone({
  folder,
  signal,
}: {
  readonly folder: string;
  readonly signal: AbortSignal;
}): Promise<Diagnosis> {
  const relayUrl = relayUrlIn(join(folder, SETTINGS_FILE));
  const probes = nodeProbes({ relayUrl, folder });
  const found = await examine({ clock: systemClock, probes, lookAtPool: inNoPool }, { signal });
  // Only the device knows its pool.
  const findings = found.findings.filter(({ what }) => what !== 'links');
  return inWords({ ...found, findings }, words);
}

/** Without its device nothing is known of the pool. */
async function inNoPool(): Promise<undefined> {
  return undefined;
}

/** Undefined where no port can be had: the relay is another way. */
async function openHost(
  folder: DeviceFolder,
  wires: SignalWires,
  { onBug }: DeviceSettings,
): Promise<DirectHost | undefined> {
  const path = folder.file(DIRECT_FILE);
  try {
    const [dataChannels, keys] = [await loadDataChannels(), await loadDirectKeys(path)];
    const options = { clock: systemClock, wires, hosts: ownAddresses };
    try {
      return new DirectHost(dataChannels, { ...options, ...keys });
    } catch {
      // Something else has its port by now. Invites of before find this device by the relay only.
      return new DirectHost(dataChannels, { ...options, ...(await moveDirectKeys(path, keys)) });
    }
  } catch (error) {
    onBug(error);
    return undefined;
  }
}

/** On a machine without a network, only a page on it can call. */
function ownAddresses(): readonly string[] {
  const reachable = reachableAddresses(networkInterfaces());
  return reachable.length === 0 ? ['127.0.0.1'] : reachable;
}

async function openPorts(
  folder: DeviceFolder,
  settings: DeviceSettings,
  lives: Set<PageLife>,
  wires: SignalWires,
): Promise<RuntimePorts> {
  const [wrtc, kernel] = [await loadWebRtc(), await compiledKernel()];
  const memory = new BufferPool(MAX_FREE_BYTES);
  folder.databaseFile('fragments.db');
  const store = bridgeToFragmentWorker(memory, () => threadOf('fragment', folder.path));
  await store.opened();
  const database = await SqliteDatabase.open(folder.databaseFile('records.db'), folder.openSql);
  const watch = new StorageWatch(systemClock, [() => database.check(), () => store.check()]);
  const ports = { clock: systemClock, random: systemRandom, memory, cryptography: webCryptography };
  return {
    ...ports,
    pauses: new MessagePauses(),
    identity: { load: async () => identityOf(await keyOf(store.secrets)), forget: async () => undefined },
    fragments: store.fragments,
    records: new RowRecordStore(database, () => undefined),
    journal: store.journal,
    secrets: store.secrets,
    lock: store.lock,
    storageGone: watch.gone,
    // A file is named by its path again: nothing is remembered.
    sources: { noticeChanges: true, mayRead: async () => false, open: async () => undefined },
    codec: openCodecPool({
      memory,
      workerCount: Math.min(Math.max(availableParallelism() - 1, 1), 4),
      createWorker: () => {
        const worker = threadOf('codec', undefined);
        worker.postMessage(kernel, []);
        return worker;
      },
    }),
    quota: {
      estimate: async () => diskSpace(folder.path, await store.holeBytes()),
      persist: async () => true,
      spendReserve: () => store.spendReserve(),
      restoreReserve: () => store.restoreReserve(),
    },
    sparing: { reason: undefined, watch: () => () => undefined },
    deviceClass: 'alwaysOn',
    laneHost: settings.laneHost,
    served: settings.served,
    audited: settings.audited,
    createTransport: ({ poolId, signalingKey }, identity, door) =>
      new LinkTransport({
        ...ports,
        poolId,
        signalingKey,
        identity,
        door,
        wires,
        relayUrl: settings.relayUrl(),
        WebSocket: NodeRelaySocket,
        connect: (initiator, events, servers) => new WebRtcConnection(initiator, events, servers, wrtc),
        watchLife: (life) => {
          lives.add(life);
          return () => lives.delete(life);
        },
        onBug: settings.onBug,
      }),
    get appUrl() {
      return settings.appUrl();
    },
  };
}

async function keyOf(secrets: SecretStore): ReturnType<typeof newKeyAmong> {
  return (await keyAmong(secrets)) ?? newKeyAmong(secrets);
}

/** The threads are built next to this module. */
function threadOf(name: 'codec' | 'fragment', data: unknown): Worker {
  return new ThreadWorker(join(import.meta.dirname, `${name}.thread.js`), data);
}

function compiledKernel(): ReturnType<typeof compileErasureKernel> {
  return compileErasureKernel({
    relaxedBytes: async () => bytesIn(relaxedWasm),
    simdBytes: async () => bytesIn(simdWasm),
    portableBytes: async () => bytesIn(portableWasm),
  });
}

/** The bytes of a data URL in base64. */
function bytesIn(url: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(url.slice(url.indexOf(',') + 1), 'base64'));
}
