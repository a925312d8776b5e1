// One file to be stored, and what storing it needs.

import type { FileDetails } from '../../core/model/file-details.ts';
import type { Geometry } from '../../core/model/geometry.ts';
import type { DeviceId, FileId } from '../../core/model/ids.ts';
import type { KeyRing } from '../../core/model/key-ring.ts';
import type { Misdeed } from '../../core/peer/misdeeds.ts';
import type {
  ByteSource,
  Clock,
  Cryptography,
  FragmentStore,
  Memory,
  Random,
  RecordStore,
  SegmentCodec,
  SourceHandle,
  UnfinishedStore,
} from '../../core/ports.ts';
import type { Notice } from '../notice.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';
import type { ReadPorts } from '../read/read-job.ts';
import type { Transfer } from '../transfers.ts';
import type { Naming } from './naming.ts';
import type { StoreQuota } from './store-quota.ts';
import type { UnfinishedStores } from './unfinished-stores.ts';

export interface StorePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly memory: Memory;
  readonly cryptography: Cryptography;
  readonly codec: SegmentCodec;
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly driver: PeerDriver;
  readonly transport: ReadPorts['transport'];
  readonly keys: KeyRing;
  readonly unfinished: UnfinishedStores;
  readonly naming: Naming;
  readonly storeQuota: StoreQuota;
  /** Reports something that is no failure. */
  readonly notice: (notice: Notice) => void;
  /** Reports what another device did. */
  readonly misdeed: (device: DeviceId, what: Misdeed) => void;
}

export interface StoreJob {
  readonly source: ByteSource;
  readonly geometry: Geometry;
  readonly details: FileDetails;
  readonly modifiedMs: number;
  readonly isPrivate: boolean;
  readonly handle: SourceHandle | undefined;
  /** The interrupted store that this job claimed; it is continued if `source` still has its bytes. */
  readonly resumes: UnfinishedStore | undefined;
  /** Sealing may wait for the devices that the blocks go to. */
  readonly isPaced: boolean;
  readonly transfer: Transfer;
  /** Stores a content anew, without a name that lists show: see rekey/rekeying.ts. */
  readonly renewal?: Renewal;
}

export interface Renewal {
  /** Whether this content cannot stand for the new one: its keys are not new. */
  isOld(content: FileId): boolean;
}

/** A store as the pool is asked for it. */
export interface StoreRequest {
  readonly blob: Blob;
  readonly geometry: Geometry;
  readonly details: FileDetails;
  readonly isPrivate: boolean;
  readonly handle: SourceHandle | undefined;
  /** Claimed. */
  readonly resumes: UnfinishedStore | undefined;
}
