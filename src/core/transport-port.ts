// What core and runtime need from a network: authenticated links between the devices of a pool. The rules of
// ports.ts for buffers hold here too.

import type { Rejection } from './model/failures.ts';
import type { DeviceId } from './model/ids.ts';
import type { RoomKeys } from './model/pool-keys.ts';

/**
 * Control overtakes bulk. Messages of control arrive in order; those of bulk may overtake each other where a
 * link has a second connection.
 */
export type Lane = 'control' | 'bulk';

/** How the bytes of a link go: from device to device, or encrypted through the relay. */
export type LinkPath = 'direct' | 'relay';

export type RelayState = 'connecting' | 'connected' | 'lost';

export interface TransportEvents {
  /**
   * A link to `device` is open and bound to its identity key. At most one link per device is up at a time.
   */
  linkUp(device: DeviceId): void;
  /**
   * The link is gone; nothing more arrives on it. `reason` is for logs. `isLeft`: the device ended it of its
   * own accord, as a page that is closed does. May be called within `closeLink`.
   */
  linkDown(device: DeviceId, reason: string, isLeft?: boolean): void;
  /** How the bytes of an open link go, once that is known, and whenever it changes. */
  linkPath?(device: DeviceId, path: LinkPath): void;
  /** This page is being hidden or frozen: what is sent within the call still goes out. */
  freezing?(): void;
  /** The page was shown or came online. `frozenMs`: how long it was frozen before; 0 if that is not known. */
  woke?(frozenMs: number): void;
  /** One whole message. The callee owns `bytes`. Never called within a call of the transport. */
  message(device: DeviceId, bytes: Uint8Array<ArrayBuffer>): void;
  relayState(state: RelayState): void;
  /** Something refused at the door (forged envelope, garbage frame): for the notices. */
  rejected(rejection: Rejection): void;
}

/** How a transport is narrowed where strangers may come: at the door of an invite. */
export interface DoorLimits {
  /** Whether this device links with `device`; nothing that another sends in order to link has an effect. */
  accepts(device: DeviceId): boolean;
  /** Links at a time. */
  readonly maxLinkCount: number;
  /** Whether this device wants to be let in there. Newcomers do not link with each other. */
  readonly isNewcomer: boolean;
}

/** A device that answers by way of others, and with which no link came up since. */
export interface LinkTrial {
  readonly device: DeviceId;
  /** An attempt is under way, and it answered. */
  readonly isTrying: boolean;
  /** Attempts that it answered and that failed nevertheless, since the last link. */
  readonly failedCount: number;
  /** How long ago the last of them failed, ms; Infinity if there was none. */
  readonly failedForMs: number;
}

/** Authenticated links to the pool's devices: finds the devices, links them, and links them again. */
export interface Transport {
  open(events: TransportEvents): void;
  /**
   * Queues one message given in parts. Resolves once the channel, whose send queue stays under its mark, has
   * taken the last byte; or over a second connection, once the other end has the message.
   * @throws PalmError 'link-closed' when there is no link or it closes first; 'cancelled' when `signal`
   * aborts before the message has begun to go out. After `isLast` nothing need come back: the link is not
   * pinged if nothing does.
   */
  send(
    device: DeviceId,
    parts: readonly Uint8Array[],
    lane: Lane,
    signal?: AbortSignal,
    isLast?: boolean,
  ): Promise<void>;
  /**
   * How long nothing has been heard on the link with `device`, ms: no byte, and no answer to a ping. 0 when
   * there is no link.
   */
  silentForMs(device: DeviceId): number;
  /**
   * How long no byte of an answer (bulk lane) has come on the link with `device`, ms; Infinity before the
   * first. 0 when there is no link.
   */
  givesNothingForMs(device: DeviceId): number;
  /**
   * Follows what waits to go out to `device` now. The result tells whether some of it still waits, and has
   * moved since it was asked last.
   */
  followQueue(device: DeviceId): () => boolean;
  /** Closes the link to a misbehaving or unresponsive device; it may be built again after backoff. */
  closeLink(device: DeviceId, reason: string): void;
  /** The device owes an answer: finds out now whether its link still works, and ends it if not. */
  doubtLink(device: DeviceId): void;
  /**
   * Introduces devices with the keys `current` from now on. Devices that slept through the change are still
   * heard under `earlier` keys. Links stay.
   */
  move(current: RoomKeys, earlier: readonly RoomKeys[]): void;
  /** For the connection doctor; absent where links never fail. */
  trials?(): readonly LinkTrial[];
  /** The device woke or came online: check links and the relay now instead of after backoff. */
  wake(): void;
  close(): Promise<void>;
}
