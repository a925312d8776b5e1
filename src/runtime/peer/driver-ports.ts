// What the driver of a device's peer needs, and what it tells.

import type { CheckedEntry } from '../../core/catalogue/check.ts';
import type { DeviceClass } from '../../core/model/device-class.ts';
import type { Pauses } from '../../core/pauses.ts';
import type { Misdeed } from '../../core/peer/misdeeds.ts';
import type {
  Clock,
  Cryptography,
  FragmentStore,
  Identity,
  Memory,
  Random,
  RecordStore,
  SecretStore,
} from '../../core/ports.ts';
import type { LaneClient, LaneHost } from '../../core/lane-port.ts';
import type { RelayState, Transport } from '../../core/transport-port.ts';
import type { NoticeStatus } from '../api.ts';
import type { ServedAsk } from '../served-ask.ts';
import type { Notice, QuotedDevice } from '../notice.ts';

export interface PeerDriverPorts {
  readonly clock: Clock;
  readonly pauses: Pauses;
  readonly memory: Memory;
  readonly cryptography: Cryptography;
  readonly fragments: FragmentStore;
  readonly records: RecordStore;
  readonly secrets: SecretStore;
  readonly random: Random;
  readonly identity: Identity;
  readonly transport: Transport;
  /** What kind of device this is. */
  readonly deviceClass: DeviceClass;
  /** Whether its browser deletes what it holds if nobody opens it for a while. */
  readonly isEvictable?: boolean;
  /** Where this device runs next to a relay. */
  readonly laneHost?: LaneHost | undefined;
  /** Where it is a page of a relay. */
  readonly laneClient?: LaneClient | undefined;
  /** Is told what was served to others for their requests. */
  readonly served?: ((served: ServedAsk) => void) | undefined;
}

export interface PeerDriverEvents {
  /** Something that the status shows may have changed. */
  changed(): void;
  notice(level: NoticeStatus['level'], notice: Notice): void;
  relayState(state: RelayState): void;
  /** Entries that are new here, of this device or others. */
  added(entries: readonly CheckedEntry[]): void;
  /** A member did something to the others that people should know. */
  misdeed(device: QuotedDevice, what: Misdeed, count: number): void;
}
