// What nearby pools need of a platform: the relay's lobby.

import type { ConnectionId, EntryFrame, ListedPool } from '../wire/relay-protocol.ts';
import type { RelayState } from '../transport-port.ts';

export type LobbyEntry = Exclude<EntryFrame, { kind: 'enter' }>;

export interface LobbyEvents {
  state(state: RelayState): void;
  /** Of who looks: what is listed now, newest last. */
  pools(pools: readonly ListedPool[]): void;
  /** Somebody that this device wrote to, or that wrote to it, is gone. */
  departed(id: ConnectionId): void;
  /** The callee owns `letter`. */
  letter(from: ConnectionId, letter: Uint8Array): void;
  /** The relay closed the door for a reason of its own, in its words: this is over. */
  refused(detail: string): void;
}

export interface LobbySocket {
  /** False when it cannot go out now. */
  write(to: ConnectionId, letter: Uint8Array): boolean;
  /** Ends it without a further event. */
  close(): void;
}

export interface NearbyPorts {
  /**
   * Enters the lobby, and enters it again whenever the relay was lost, until it is closed. No event comes
   * before it returns.
   */
  enter(entry: LobbyEntry, events: LobbyEvents): LobbySocket;
}
