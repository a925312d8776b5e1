// A simulated device: the real runtime and the real core over virtual time, a simulated transport and a store
// in memory. Cryptography is Node's, called synchronously, so that every run with a seed is the same. The
// segment codec is the real one.

import { readFile } from 'node:fs/promises';
import { loadReedSolomon } from '../../src/adapters/portable/reed-solomon.ts';
import { createSegmentCodec } from '../../src/adapters/portable/segment-codec.ts';
import { concatBytes, hexOf } from '../../src/core/model/bytes.ts';
import { PalmError } from '../../src/core/model/errors.ts';
import type { DeviceClass } from '../../src/core/model/device-class.ts';
import { blockKey, type DeviceId } from '../../src/core/model/ids.ts';
import type { RoomKeys } from '../../src/core/model/invite-door.ts';
import type { Clock, Identity, SegmentCodec } from '../../src/core/ports.ts';
import type { SparingReason } from '../../src/core/model/sparing.ts';
import type { DoorLimits, Transport } from '../../src/core/transport-port.ts';
import type { FileStatus, Palm } from '../../src/runtime/api.ts';
import type { Notice } from '../../src/runtime/notice.ts';
import { openPalm } from '../../src/runtime/palm.ts';
import type { NearbyPorts } from '../../src/core/nearby/nearby-port.ts';
import type { PairingPorts } from '../../src/core/pairing/pair-port.ts';
import { present } from '../../src/runtime/status.ts';
import type { RuntimePorts } from '../../src/runtime/runtime-ports.ts';
import { WordedPalm } from '../../src/runtime/worded-palm.ts';
import { dirtyMemory } from '../fixtures/dirty-memory.ts';
import { plainTexts } from '../fixtures/plain-texts.ts';
import { identityFrom } from '../fixtures/seeded-identity.ts';
import { diskOf, soundDisk, type DiskFaults } from './disk.ts';
import { openInviteOf } from './open-invite.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';
import { MemoryBlob } from './memory-file.ts';
import { SimProcess } from './process.ts';
import { synchronousCryptography } from './synchronous-cryptography.ts';
import type { World } from './world.ts';

const QUOTA_BYTES = 2 ** 30;

/** The device that a transport is for, and the life of its tab. */
export interface TransportNeeds {
  readonly keys: RoomKeys;
  readonly identity: Identity;
  readonly process: SimProcess;
  readonly clock: Clock;
  readonly door?: DoorLimits | undefined;
}

/** What connects devices. */
export interface SimNetwork {
  transportFor(needs: TransportNeeds): Transport;
  /** Default: devices cannot pair by codes. */
  pairingFor?(process: SimProcess): PairingPorts;
  /** Default: no pool is nearby. */
  nearbyFor?(process: SimProcess, clock: Clock): NearbyPorts;
  /** The device vanishes from the network, as a killed tab does; the others notice. */
  unplug(device: DeviceId): void;
  /** The device's tab is frozen: what is sent to it waits, and after a while its links die. */
  frozen(device: DeviceId): void;
  thawed(device: DeviceId): void;
  /** The device's page is told that it will be frozen or closed. */
  freezing(device: DeviceId): void;
}

/** What the codec's workers did and will do, over all lives of the tab. */
export interface SimCodec {
  /** Segments that were sealed. */
  sealedCount: number;
  /** For each: key and segment number, the hash of the plaintext, and the blocks' hashes (blockKey). */
  readonly sealed: { sealedBy: string; plainHash: string; blockKeys: string[] }[];
  /** This many of the next calls to seal fail, because their workers die. */
  dyingCount: number;
  /** This many of the next calls to open a segment fail, because their workers die. */
  dyingReadCount: number;
}

/** Ports of which a function can be made to throw. */
export type BreakablePort = 'codec' | 'cryptography' | 'fragments' | 'journal' | 'memory' | 'records';

/** Files outside, to which the browser gave handles. */
export interface SimSources {
  readonly files: Map<string, File>;
  /** 'asks': the person would grant it within a gesture. */
  permission: 'granted' | 'asks' | 'denied' | 'unanswered';
  /** Whether the browser fails reads of files that changed. */
  noticeChanges: boolean;
}

const wasmUrl = import.meta.resolve('@subspace/reed-solomon-erasure.wasm/dist/reed_solomon_erasure_bg.wasm');
const erasureCode = await loadReedSolomon(await readFile(new URL(wasmUrl)));

export class SimDevice {
  readonly name: string;
  /** What survives the tab. */
  store: MemoryStore;
  diskFaults: DiskFaults = soundDisk();
  #tellGone: () => void = () => undefined;
  readonly codec: SimCodec = { sealedCount: 0, sealed: [], dyingCount: 0, dyingReadCount: 0 };
  readonly sources: SimSources = { files: new Map(), permission: 'granted', noticeChanges: true };
  readonly #sparing: { reason: SparingReason | undefined; readonly listeners: Set<() => void> } = {
    reason: undefined,
    listeners: new Set(),
  };
  /** What kind of device it calls itself when it opens next. */
  deviceClass: DeviceClass;
  /** Whether its browser deletes what is not used. */
  isEvictable = false;
  /** Bytes that its audits of others fetched. */
  auditedBytes = 0;
  /** While set, this function of a port is one that the engine lacks. */
  missing: { readonly port: BreakablePort; readonly name: string } | undefined;
  readonly #world: World;
  readonly #network: SimNetwork;
  readonly #charters: boolean;
  #identity: Identity;
  #process = new SimProcess();
  #quotaBytes = QUOTA_BYTES;
  /** When that changed last, ms. */
  quotaSetAtMs = 0;
  /** How far its wall clock is ahead of true time. */
  #wallAheadMs = 0;
  /** How long its monotonic clock stood still. */
  #sleptMs = 0;
  pool: Palm;

  /** `charters`: whether the pools that it makes have one. */
  constructor(
    name: string,
    world: World,
    network: SimNetwork,
    deviceClass: DeviceClass = 'laptop',
    charters = false,
  ) {
    this.name = name;
    this.#charters = charters;
    this.deviceClass = deviceClass;
    this.#world = world;
    this.#network = network;
    this.store = createMemoryStore();
    this.#identity = identityFrom(world.random.bytes(32));
    this.pool = this.#open();
  }

  /** What people would be told, by kind: its texts are `plainTexts`. */
  get notices(): readonly Notice[] {
    return this.pool.status().notices.map(({ text }): Notice => JSON.parse(text));
  }

  get id(): DeviceId {
    return this.#identity.deviceId;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** What the browser allows it. */
  get quotaBytes(): number {
    return this.#quotaBytes;
  }

  get isFrozen(): boolean {
    return this.#process.frozen;
  }

  get isRunning(): boolean {
    return !this.#process.dead && !this.#process.frozen;
  }

  /**
   * The tab is killed: nothing is said, nothing in memory survives, and no waiting call to the disk is made.
   */
  kill(): void {
    this.#process.kill();
    this.#network.unplug(this.id);
  }

  /**
   * Its site data is cleared, the key included, with the page open or not. What opens next is another device.
   */
  loseStorage(): void {
    this.diskFaults.isGone = true;
    this.store = createMemoryStore();
    this.store.setCapacity(this.#quotaBytes);
    this.diskFaults = soundDisk();
    this.#identity = identityFrom(this.#world.random.bytes(32));
    this.#process.run(this.#tellGone);
  }

  /** Opens the device again with what its disk has. */
  async reopen(): Promise<void> {
    await this.#world.settled(`${this.name} reopens`, this.opened());
  }

  /** The same without running the world: resolves when it is open. */
  opened(): Promise<void> {
    this.store.restart();
    this.pool = this.#open();
    return this.pool.ready;
  }

  /** The page is being hidden or closed, and says so. */
  sayGoodbye(): void {
    this.#process.run(() => this.#network.freezing(this.id));
  }

  /** The tab is frozen: its links stay for a while, and nothing in it happens. */
  freeze(): void {
    this.#process.freeze();
    this.#network.frozen(this.id);
  }

  /** The tab hangs: its links stay open forever, and nothing in it happens. */
  hang(): void {
    this.#process.freeze();
  }

  /** `sleptMs`: how long its monotonic clock stood still meanwhile, as while a lid is shut. */
  thaw(sleptMs = 0): void {
    this.#sleptMs += sleptMs;
    this.#process.thaw();
    this.#network.thawed(this.id);
  }

  /** From now on it asks to spare something, or no longer. */
  spare(reason: SparingReason | undefined): void {
    this.#sparing.reason = reason;
    for (const listener of this.#sparing.listeners) listener();
  }

  /** Somebody, or a time server, sets the wall clock. */
  setClock(byMs: number): void {
    this.#wallAheadMs += byMs;
  }

  /** It sleeps: nothing in it happens, and its monotonic clock stands still. */
  sleep(durationMs: number): void {
    if (!this.isRunning) return;
    this.freeze();
    this.#world.after(durationMs, () => this.thaw(durationMs));
  }

  /** The browser allows this much, and the disk has no more. */
  setQuota(quotaBytes: number): void {
    this.#quotaBytes = quotaBytes;
    this.quotaSetAtMs = this.#world.nowMs;
    this.store.setCapacity(quotaBytes);
  }

  fileStatus(fileId: string): FileStatus | undefined {
    return this.pool.status().files.find((file) => file.fileId === fileId);
  }

  put(bytes: Uint8Array<ArrayBuffer>, options: Parameters<Palm['store']>[1]): ReturnType<Palm['store']> {
    return this.pool.store(new MemoryBlob(0, bytes.length, (start, end) => bytes.slice(start, end)), options);
  }

  /** Continues an unfinished store, with the chosen file if one is given. */
  resume(id: string, file?: File): ReturnType<Palm['resumeStore']> {
    return this.pool.resumeStore(id, file);
  }

  async read(fileId: string, options: Parameters<Palm['read']>[1] = {}): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.pool.read(fileId, options)) pieces.push(piece);
    return concatBytes(...pieces);
  }

  /** `port`, of which a function is missing while `missing` names it. */
  #breakable<Port extends object>(portName: BreakablePort, port: Port): Port {
    return new Proxy(port, {
      get: (target, name) => {
        const { missing } = this;
        const value: unknown = Reflect.get(target, name);
        if (missing?.port === portName && missing.name === name) {
          return () => {
            throw new TypeError(`${portName}.${name} is not a function`);
          };
        }
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  }

  #open(): Palm {
    const world = this.#world;
    const { sources } = this;
    const sparing = this.#sparing;
    const openedAtMs = world.nowMs - this.#sleptMs;
    const process = new SimProcess();
    this.#process = process;
    const clock: Clock = {
      monotonicMs: () => world.nowMs - openedAtMs - this.#sleptMs,
      wallMs: () => world.nowMs + this.#wallAheadMs,
      after: (delayMs, callback) => {
        let isWanted = true;
        // In whole ms, as timers are: a fraction may be too little to move virtual time at all.
        const cancel = world.after(Math.ceil(delayMs), () =>
          process.run(() => {
            if (isWanted) callback();
          }),
        );
        return () => {
          isWanted = false;
          cancel();
        };
      },
    };
    const ports: RuntimePorts = {
      clock,
      pauses: { pause: () => new Promise((resolve) => world.after(0, () => process.run(resolve))) },
      random: { bytes: (length) => world.random.bytes(length) },
      memory: dirtyMemory,
      cryptography: synchronousCryptography,
      identity: {
        load: async () => this.#identity,
        forget: async () => {
          this.#identity = identityFrom(world.random.bytes(32));
        },
      },
      ...diskOf(this.store, world, process, this.diskFaults),
      sources: {
        get noticeChanges() {
          return sources.noticeChanges;
        },
        mayRead: async (_handle, ask) => {
          const { permission } = sources;
          if (permission === 'unanswered' && ask) return new Promise<never>(() => undefined);
          return permission === 'granted' || (permission === 'asks' && ask);
        },
        open: async ({ name }) => sources.files.get(name),
      },
      storageGone: new Promise((resolve) => (this.#tellGone = resolve)),
      codec: codecIn(world, process, this.codec),
      quota: {
        estimate: async () => ({ usedBytes: this.store.usedBytes(), quotaBytes: this.#quotaBytes }),
        // Firefox asks the person, who need not answer.
        persist: () => new Promise<never>(() => undefined),
        spendReserve: async () => false,
        restoreReserve: async () => undefined,
      },
      sparing: {
        get reason() {
          return sparing.reason;
        },
        watch: (listener) => {
          const told = (): void => process.run(listener);
          sparing.listeners.add(told);
          return () => sparing.listeners.delete(told);
        },
      },
      audited: (byteCount) => {
        this.auditedBytes += byteCount;
      },
      deviceClass: this.deviceClass,
      isEvictable: this.isEvictable,
      createTransport: (keys, identity, door) =>
        this.#network.transportFor({ keys, identity, process, clock, door }),
      ...present('pairing', this.#network.pairingFor?.(process)),
      ...present('nearby', this.#network.nearbyFor?.(process, clock)),
      appUrl: 'https://palm.invalid/',
    };
    const breakable: RuntimePorts = {
      ...ports,
      codec: this.#breakable('codec', ports.codec),
      cryptography: this.#breakable('cryptography', ports.cryptography),
      fragments: this.#breakable('fragments', ports.fragments),
      journal: this.#breakable('journal', ports.journal),
      memory: this.#breakable('memory', ports.memory),
      records: this.#breakable('records', ports.records),
    };
    const palm = openPalm({
      clock,
      suggestedDeviceName: this.name,
      ports: Promise.resolve(breakable),
      charters: this.#charters,
    });
    return new WordedPalm(palm, plainTexts);
  }
}

/** A pool of `count` devices that all know each other. */
export async function formPool(world: World, network: SimNetwork, count: number): Promise<SimDevice[]> {
  const devices = Array.from(
    { length: count },
    (_, index) => new SimDevice(`device ${index}`, world, network),
  );
  const [first, ...others] = devices;
  if (first === undefined) throw new Error('a pool needs at least one device');
  await world.settled('the pool is created', first.pool.createPool({ name: 'simulated' }));
  for (const device of others) await joinPool(world, device, first);
  await world.until('all devices see each other', () =>
    devices.every((device) => reachableCount(device) === count),
  );
  return devices;
}

export async function joinPool(world: World, device: SimDevice, member: SimDevice): Promise<void> {
  await world.settled(`${device.name} joins`, device.pool.join(openInviteOf(member)));
}

export function reachableCount(device: SimDevice): number {
  return device.pool.status().devices.filter(({ state }) => state === 'reachable').length;
}

function codecIn(world: World, process: SimProcess, log: SimCodec): SegmentCodec {
  const codec = createSegmentCodec(erasureCode, dirtyMemory);
  const outside = <Result>(work: () => Promise<Result>): Promise<Result> =>
    process.hears(world.outside(work));
  const dying = async <Result>(
    count: 'dyingCount' | 'dyingReadCount',
    work: () => Promise<Result>,
  ): Promise<Result> =>
    outside(async () => {
      if (log[count] === 0) return work();
      log[count] -= 1;
      throw workerDied();
    });
  return {
    hash: (plain, signal) => outside(() => codec.hash(plain, signal)),
    seal: (parameters, plain, hash, signal) =>
      dying('dyingCount', async () => {
        const sealed = await codec.seal(parameters, plain, hash, signal);
        log.sealedCount += 1;
        log.sealed.push({
          sealedBy: `${hexOf(parameters.key)} ${parameters.segmentIndex}`,
          plainHash: hexOf(sealed.plainHash),
          blockKeys: sealed.hashes.map(blockKey),
        });
        return sealed;
      }),
    open: (parameters, blocks, size, signal) =>
      dying('dyingReadCount', () => codec.open(parameters, blocks, size, signal)),
    rebuild: (blocks, wanted, signal) => outside(() => codec.rebuild(blocks, wanted, signal)),
    close: () => codec.close(),
  };
}

function workerDied(): PalmError {
  return new PalmError({ code: 'worker-failed', reason: 'codec' });
}
