// What one relay allows before it closes a socket. Sizes and room counts that clients must know too are in
// src/core/model/limits.ts; the numbers here are the relay's own, and tests pass smaller ones.

import { MAX_ENVELOPE_BYTES, MAX_ROOM_CLIENTS, MAX_ROOMS } from '../src/core/model/limits.ts';

export interface RelayLimits {
  readonly rooms: number;
  readonly roomClients: number;
  /** Open sockets in all rooms together, those that have not entered one or are closing included. */
  readonly clients: number;
  /** Frames that one client may send at once, and each second after that. */
  readonly frameBurst: number;
  readonly framesPerSecond: number;
  /** Bytes that one client may make the relay send or take at once, and each second after that. */
  readonly byteBurst: number;
  readonly bytesPerSecond: number;
  /** How often every client is asked for a sign of life, ms. */
  readonly heartbeatMs: number;
  /** A client that has not entered a room for this long at a heartbeat is closed, ms. */
  readonly enterMs: number;
  /** Bytes waiting in one client's socket; beyond it the client does not read, and is closed. */
  readonly bufferedBytes: number;
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  rooms: MAX_ROOMS,
  roomClients: MAX_ROOM_CLIENTS,
  // Eight full rooms: some 100 MiB of sockets and buckets at the very most while they read what they are sent.
  clients: 8 * MAX_ROOM_CLIENTS,
  // A device that comes into a full room offers to everyone there, with some seven trickled candidates each.
  frameBurst: 8 * MAX_ROOM_CLIENTS,
  framesPerSecond: 200,
  // The largest envelope to everyone in a full room must be possible once, and half of it is spare for overhead.
  byteBurst: 1.5 * MAX_ENVELOPE_BYTES * MAX_ROOM_CLIENTS,
  bytesPerSecond: 1024 * 1024,
  // Middleboxes forget idle TCP connections after a minute or more; a phone that fell asleep is told of within 45 s.
  heartbeatMs: 15_000,
  enterMs: 10_000,
  // Offers of 16 KiB from everyone in a full room at once.
  bufferedBytes: 16 * 1024 * MAX_ROOM_CLIENTS,
};
