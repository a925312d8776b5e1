// What one relay allows before it closes a connection. Sizes and room counts that clients must know too are
// in src/core/model/limits.ts; the numbers here are the relay's own, and tests pass smaller ones.
//
// Limits per address leave room for a SCHOOL: 60 devices behind one address (a router with NAT, a reverse
// proxy, or one IPv6 /64, which counts as one), each with two pages of Palm open. Devices behind one address
// share its limits. The limits for all addresses together are several times those of one; when they are
// reached, the address that has most gives way (give-way.ts).

import {
  MAX_ENVELOPE_BYTES,
  MAX_LISTED_POOLS,
  MAX_RELAY_FRAME_BYTES,
  MAX_ROOM_CLIENTS,
  MAX_ROOMS,
} from '../src/core/model/limits.ts';

/** The app is some 1 MiB; a folder with more than this is something else, bytes. */
export const MAX_APP_BYTES = 64 * 1024 * 1024;

/**
 * How much of an answer is handed to a connection at a time, bytes. Over TLS each connection has its own
 * copy: 96 MiB with all connections in use and nobody reading.
 */
export const ANSWER_SLICE_BYTES = 32 * 1024;

export interface RelayLimits {
  /** TCP connections to both ports together, and those of one address. */
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Connections that one address may open in a burst, and each second after that. */
  readonly connectionBurst: number;
  readonly connectionsPerSecond: number;
  /** Requests of one connection that wait for an answer, including the one being answered. */
  readonly queuedRequests: number;
  /** TLS handshakes in progress, and those of one address; the others wait for their turn. */
  readonly handshakes: number;
  readonly handshakesPerAddress: number;
  /** For a connection's turn to begin a TLS handshake, and then for the handshake, ms. */
  readonly handshakeMs: number;
  /** How long a handshake is protected while another address with at least as many waits, ms. */
  readonly handshakePatienceMs: number;
  /** For a request's headers, and for all of a request, ms. */
  readonly headersMs: number;
  readonly requestMs: number;
  /** For a connection on which nothing moves while an answer is being sent, ms. */
  readonly stalledMs: number;
  /** For an answer, from its request until its last byte was taken, ms. */
  readonly answerMs: number;

  /** Rooms in total, and those that clients of one address opened. */
  readonly rooms: number;
  readonly roomsPerAddress: number;
  /** Clients of one room, and those of them that come from one address. */
  readonly roomClients: number;
  readonly roomClientsPerAddress: number;
  /** Pools that are listed in total, and those that clients of one address list. */
  readonly listings: number;
  readonly listingsPerAddress: number;
  /** Letters that one client of the lobby may send in a burst, and each second after that. */
  readonly letterBurst: number;
  readonly lettersPerSecond: number;
  /** Open sockets in total, including those not yet in a room; and those of one address. */
  readonly clients: number;
  readonly clientsPerAddress: number;
  /**
   * Frames that one client may send in a burst, and each second after that; then the same for one address.
   */
  readonly frameBurst: number;
  readonly framesPerSecond: number;
  readonly addressFrameBurst: number;
  readonly addressFramesPerSecond: number;
  /**
   * Bytes that one client may make the relay send or take in a burst, and each second after that; then the
   * same for one address.
   */
  readonly byteBurst: number;
  readonly bytesPerSecond: number;
  readonly addressByteBurst: number;
  readonly addressBytesPerSecond: number;
  /** How often every client is asked for a sign of life, ms. */
  readonly heartbeatMs: number;
  /** A client that has not entered a room for this long at a heartbeat is closed, ms. */
  readonly enterMs: number;

  /** Bytes waiting in one client's socket; beyond that, the client is not reading, and is closed. */
  readonly bufferedBytes: number;
  /**
   * Parts of one message, chunks in which one part may come, and what an unfinished message may cost, bytes.
   */
  readonly messageFragments: number;
  readonly messageChunks: number;
  readonly messageBytes: number;
  /** For a message, from its first byte to its last, ms. */
  readonly messageMs: number;
  /** What all clients' unfinished messages and unread frames may cost together, bytes. */
  readonly heldBytes: number;
}

export const DEFAULT_RELAY_LIMITS: RelayLimits = {
  // All clients, and as many connections again as 170 browsers need to load the page together. The oldest
  // systems that run Node 20 allow a process 4,096 descriptors, so this leaves a fourth of them.
  connections: 3_072,
  // The whole school loads the page (6 each) while its sockets (2 each) are open: 480.
  connectionsPerAddress: 512,
  // All of that, twice because of a reload; then all of it every quarter of a minute.
  connectionBurst: 1_024,
  connectionsPerSecond: 32,
  // Browsers do not pipeline: they wait for each answer. Some programs send a few requests ahead.
  queuedRequests: 8,
  // Each is some 50 kB outside the JavaScript heap, and takes a few ms on the same network.
  handshakes: 64,
  handshakesPerAddress: 16,
  handshakePatienceMs: 1_000,
  // Each takes some packets on the same network; a phone on poor Wi-Fi repeats lost ones after 1, 2 and 4 s.
  handshakeMs: 8_000,
  headersMs: 8_000,
  requestMs: 10_000,
  stalledMs: 10_000,
  // The largest file of the app, 400 KiB, at 7 kB/s.
  answerMs: 60_000,

  rooms: MAX_ROOMS,
  // Each page of the school in a pool of its own, and a few to spare.
  roomsPerAddress: MAX_ROOMS / 8,
  roomClients: MAX_ROOM_CLIENTS,
  // The school in one pool. Nobody fills a room alone.
  roomClientsPerAddress: MAX_ROOM_CLIENTS / 2,
  listings: MAX_LISTED_POOLS,
  // A classroom behind one address, each group with a pool.
  listingsPerAddress: MAX_LISTED_POOLS / 4,
  // Who asks writes three letters, who is asked four to each; people press buttons in between.
  letterBurst: 16,
  lettersPerSecond: 1,
  // Eight full rooms.
  clients: 8 * MAX_ROOM_CLIENTS,
  // The school, and its sockets from before a reload that are not yet known to be dead.
  clientsPerAddress: MAX_ROOM_CLIENTS,
  // A device that enters a full room makes everyone there an offer, with some seven trickled candidates each.
  frameBurst: 8 * MAX_ROOM_CLIENTS,
  framesPerSecond: 200,
  // 60 devices that all link at the same time make 1,770 pairs of an offer, an answer and 14 candidates:
  // 28,320 frames.
  addressFrameBurst: 32 * 1024,
  addressFramesPerSecond: 1_024,
  // The largest envelope to everyone in a full room must be possible once, with half as much again for
  // overhead.
  byteBurst: 1.5 * MAX_ENVELOPE_BYTES * MAX_ROOM_CLIENTS,
  bytesPerSecond: 1024 * 1024,
  // The same 1,770 pairs: 2 descriptions of 3 KiB and 14 candidates of 0.4 KiB are 20 MiB, sealed.
  addressByteBurst: 32 * 1024 * 1024,
  addressBytesPerSecond: 8 * 1024 * 1024,
  // Middleboxes forget idle TCP connections after a minute or more; others learn within 45 s that a phone
  // fell asleep.
  heartbeatMs: 15_000,
  enterMs: 10_000,

  // Offers of 16 KiB from everyone in a full room at once.
  bufferedBytes: 16 * 1024 * MAX_ROOM_CLIENTS,
  // Browsers send a message of this size in one frame, or in a few.
  messageFragments: 16,
  // The largest frame takes 77 packets of 536 bytes, the least that TCP is made for.
  messageChunks: 128,
  // The largest frame, in chunks of which the first also holds the end of another message (Node reads 64 KiB
  // at a time).
  messageBytes: 4 * MAX_RELAY_FRAME_BYTES,
  // The largest frame at 4 kB/s.
  messageMs: 10_000,
  // A small machine has this to spare. The school's 20 MiB above fit three times, even if nobody reads any of
  // it.
  heldBytes: 64 * 1024 * 1024,
};

/** Addresses whose limits are remembered although nothing of theirs is open. */
export const MAX_KNOWN_ADDRESSES = 4_096;
