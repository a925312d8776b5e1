// The ports that a composition root hands to the runtime: all of core's, and a few that only the runtime
// uses.

import type { DoctorProbes } from '../core/doctor/facts.ts';
import type { DeviceClass } from '../core/model/device-class.ts';
import type { SparingReason } from '../core/model/sparing.ts';
import type { RoomKeys } from '../core/model/invite-door.ts';
import type { Pauses } from '../core/pauses.ts';
import type {
  Clock,
  Cryptography,
  FragmentStore,
  Identity,
  Memory,
  Random,
  RecordStore,
  SecretStore,
  SegmentCodec,
  SourceHandle,
  StoreJournal,
} from '../core/ports.ts';
import type { LaneClient, LaneHost } from '../core/lane-port.ts';
import type { DeviceLock } from '../core/lock-port.ts';
import type { NearbyPorts } from '../core/nearby/nearby-port.ts';
import type { PairingPorts } from '../core/pairing/pair-port.ts';
import type { DoorLimits, Transport } from '../core/transport-port.ts';
import type { ServedAsk } from './served-ask.ts';

export interface IdentityKeeper {
  /** This device's identity; made on first use. */
  load(): Promise<Identity>;
  /** Destroys the private key: the next `load` makes another device. */
  forget(): Promise<void>;
}

export interface Quota {
  /** Bytes that this origin uses, without the free parts of its own files, and may use at most. */
  estimate(): Promise<{ readonly usedBytes: number; readonly quotaBytes: number }>;
  /**
   * Asks the browser not to evict the data under storage pressure. Returns whether it agreed. A browser that
   * asks the person may never settle it.
   */
  persist(): Promise<boolean>;
  /** Gives up the space that is kept for a full disk. Returns whether there was any. */
  spendReserve(): Promise<boolean>;
  /** Keeps such space again, or as much of it as there is room for. */
  restoreReserve(): Promise<void>;
}

/** Files of earlier pages, where the browser gives handles to them. */
export interface SourceFiles {
  /** Whether the browser fails reads of a file that changed after it was chosen. */
  readonly noticeChanges: boolean;
  /** Whether the file may be read now. With `ask`, within a gesture, the browser may ask the person. */
  mayRead(handle: SourceHandle, ask: boolean): Promise<boolean>;
  /** The file as it is now; undefined when it no longer exists. */
  open(handle: SourceHandle): Promise<File | undefined>;
}

/** Whether this device should spare battery or data, as far as the platform tells. */
export interface Sparing {
  /** Undefined while work need not wait. */
  readonly reason: SparingReason | undefined;
  /** Calls `listener` when the reason may have changed. Returns the unsubscribe function. */
  watch(listener: () => void): () => void;
}

/** How a device is opened. */
export interface PalmOpening {
  readonly clock: Clock;
  /** The device name to begin with. */
  readonly suggestedDeviceName: string;
  /** The ports, once this tab has the device and its database is open. */
  readonly ports: Promise<RuntimePorts>;
  /** What the connection doctor tries. Default: nothing can be tried. */
  readonly probes?: DoctorProbes;
  /** Whether new pools get a charter. Default: yes; tests of pools of before say no. */
  readonly charters?: boolean;
}

export interface RuntimePorts {
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly random: Random;
  readonly memory: Memory;
  readonly cryptography: Cryptography;
  readonly identity: IdentityKeeper;
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly journal: StoreJournal;
  readonly secrets: SecretStore;
  readonly lock: DeviceLock;
  readonly sources: SourceFiles;
  /** Resolves once everything that was stored is gone, deleted under this page. */
  readonly storageGone: Promise<void>;
  readonly codec: SegmentCodec;
  readonly quota: Quota;
  readonly sparing: Sparing;
  /** What kind of device this is, as far as it can tell. */
  readonly deviceClass: DeviceClass;
  /** Whether its browser deletes what it holds if nobody opens it for a while. */
  readonly isEvictable?: boolean;
  /** Where this device runs next to a relay. */
  readonly laneHost?: LaneHost | undefined;
  /** Where it is a page of a relay. */
  readonly laneClient?: LaneClient | undefined;
  /** Is told what was served to others for their requests. */
  readonly served?: ((served: ServedAsk) => void) | undefined;
  /** Is told of bytes that an audit of another device fetched. */
  readonly audited?: ((bytes: number) => void) | undefined;
  /** A transport for one room, a pool's or with `door` that of an invite; not opened yet. */
  createTransport(keys: RoomKeys, identity: Identity, door?: DoorLimits): Transport;
  /** Absent where devices cannot pair without a relay. */
  readonly pairing?: PairingPorts;
  /** Absent where devices neither list their pool nor look for one. */
  readonly nearby?: NearbyPorts;
  /** The app's address, without fragment: invites and file links begin with it. */
  readonly appUrl: string;
}
