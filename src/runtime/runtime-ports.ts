// What a composition root hands to the runtime: every port of core, and the few that only the runtime uses.

import type { PoolKeys } from '../core/model/pool-keys.ts';
import type {
  Clock,
  Cryptography,
  FragmentStore,
  Identity,
  Random,
  RecordStore,
  SegmentCodec,
  Transport,
} from '../core/ports.ts';

export interface IdentityKeeper {
  /** This device's identity; made on first use. */
  load(): Promise<Identity>;
  /** Destroys the private key: the next `load` makes another device. */
  forget(): Promise<void>;
}

export interface Quota {
  /** Bytes that this origin uses and may use at most. */
  estimate(): Promise<{ readonly usedBytes: number; readonly quotaBytes: number }>;
  /** Asks that the data not be evicted under storage pressure; whether that was granted. */
  persist(): Promise<boolean>;
}

export interface RuntimePorts {
  readonly clock: Clock;
  readonly random: Random;
  readonly cryptography: Cryptography;
  readonly identity: IdentityKeeper;
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly codec: SegmentCodec;
  readonly quota: Quota;
  /** A transport for one pool, not opened yet. */
  createTransport(keys: PoolKeys, identity: Identity): Transport;
  /** The app's address, without fragment: what invites and file links begin with. */
  readonly appUrl: string;
}
