// Who may use TURN, and whom they may reach by it: clients of a room, and the addresses of others in it.
//
// Invariants: a credential is good at the address that it was given to, while somebody is in its room from
// there; it tells nothing about the room. Addresses are those of the clients' connections with the relay,
// never what a client says. What the relay's own machine answers to can be reached by nobody.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { BlockList, isIP } from 'node:net';
import type { PoolId } from '../../src/core/model/ids.ts';
import type { ConnectionId, TurnCredential } from '../../src/core/wire/relay-protocol.ts';
import type { Endpoint } from './stun-message.ts';

/**
 * How long a credential begins new allocations, ms. Clients get another at half of it, so each always has one
 * that is good for as long as a link takes to be made.
 */
export const CREDENTIAL_LIFE_MS = 20 * 60_000;
/** A client that lost its connection is back within seconds; its links must not suffer until then, ms. */
const ABSENCE_MS = 60_000;
/** Rooms and addresses of departed clients that are remembered; of more, those that left first are not. */
const MAX_ABSENT_COUNT = 4_096;
/** Services of a machine listen below; what browsers send from is above (RFC 6335, section 6). */
const FIRST_PEER_PORT = 1_024;
/** Splits the time from the rest of a username; node-datachannel's URLs take no colon there. */
export const USERNAME_SEPARATOR = '.';

/** Never a device of a room: loopback, this network, link-local, multicast and broadcast. */
const NEVER: readonly (readonly [string, number])[] = [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
  ['::', 127],
  ['64:ff9b::', 96],
  ['fe80::', 10],
  ['ff00::', 8],
];

/** First and last address of each of these ranges, for the TURN server's own rules. */
export const NEVER_REACHED: readonly string[] = [
  '0.0.0.0-0.255.255.255',
  '127.0.0.0-127.255.255.255',
  '169.254.0.0-169.254.255.255',
  '224.0.0.0-255.255.255.255',
  // coturn 4.6 takes a range that begins with `::` for all addresses, of IPv4 too.
  '::1',
  '64:ff9b::-64:ff9b::ffff:ffff',
  'fe80::-febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
  'ff00::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff',
];

/** Clients of one room from one address. */
interface Presence {
  count: number;
  leftAtMs: number;
}

export class TurnRights {
  /** Shared with the TURN server, hexadecimal: it can be in a line of a file. */
  readonly secret = randomBytes(32).toString('hex');
  /** Known here only. */
  readonly #tagKey = randomBytes(32);
  readonly #nowMs: () => number;
  readonly #ownAddresses: () => readonly string[];
  readonly #never = new BlockList();
  readonly #present = new Map<string, Map<PoolId, Presence>>();
  /** Addresses and rooms without a client now, in the order in which they left. */
  readonly #absent = new Map<string, { readonly address: string; readonly room: PoolId }>();

  /** `nowMs`: monotonic. `ownAddresses`: all of this machine. */
  constructor(nowMs: () => number, ownAddresses: () => readonly string[]) {
    this.#nowMs = nowMs;
    this.#ownAddresses = ownAddresses;
    for (const [network, prefix] of NEVER) this.#never.addSubnet(network, prefix, familyOf(network));
  }

  /** A client is in `room`; its connection came from `address`, in its plain form. */
  entered(address: string, room: PoolId): void {
    const rooms = this.#present.get(address) ?? new Map<PoolId, Presence>();
    this.#present.set(address, rooms);
    const presence = rooms.get(room) ?? { count: 0, leftAtMs: 0 };
    rooms.set(room, presence);
    presence.count += 1;
    this.#absent.delete(`${address} ${room}`);
  }

  /** It is no longer; called once for each `entered`. */
  left(address: string, room: PoolId): void {
    const presence = this.#present.get(address)?.get(room);
    if (presence === undefined) return;
    presence.count -= 1;
    presence.leftAtMs = this.#nowMs();
    if (presence.count > 0) return;
    this.#absent.set(`${address} ${room}`, { address, room });
    this.#forget();
  }

  /** For a client in `room`. `wallMs`: what the TURN server's clock shows. */
  credential(wallMs: number, id: ConnectionId, address: string, room: PoolId): TurnCredential {
    const endS = Math.floor((wallMs + CREDENTIAL_LIFE_MS) / 1_000);
    const username = `${endS}${USERNAME_SEPARATOR}${id}${this.#tag(id, address, room)}`;
    return { username, credential: turnPassword(this.secret, username), lifeMs: CREDENTIAL_LIFE_MS };
  }

  /** Whether a client of any room is at `address`. */
  knows(address: string): boolean {
    this.#forget();
    return this.#present.has(address);
  }

  /** The room of a credential that was given to a client at `address`; undefined if it was not. */
  roomOf(address: string, username: string): PoolId | undefined {
    const [, id, tag = ''] = /^\d{1,12}\.([0-9a-f]{32})([0-9a-f]{32})$/.exec(username) ?? [];
    if (id === undefined) return undefined;
    const given = Buffer.from(tag, 'hex');
    this.#forget();
    for (const room of this.#present.get(address)?.keys() ?? []) {
      if (timingSafeEqual(Buffer.from(this.#tag(id, address, room), 'hex'), given)) return room;
    }
    return undefined;
  }

  /** Whether clients of `room` may send to `peer`. */
  mayReach(room: PoolId, { address, port }: Endpoint): boolean {
    this.#forget();
    if (this.#present.get(address)?.has(room) !== true || port < FIRST_PEER_PORT) return false;
    return !this.#never.check(address, familyOf(address)) && !this.#ownAddresses().includes(address);
  }

  #tag(id: string, address: string, room: PoolId): string {
    const mac = createHmac('sha256', this.#tagKey).update(`${id} ${address} ${room}`);
    return mac.digest('hex').slice(0, 32);
  }

  #forget(): void {
    const nowMs = this.#nowMs();
    for (const [key, { address, room }] of this.#absent) {
      const rooms = this.#present.get(address);
      const leftAtMs = rooms?.get(room)?.leftAtMs ?? 0;
      if (nowMs - leftAtMs < ABSENCE_MS && this.#absent.size <= MAX_ABSENT_COUNT) return;
      this.#absent.delete(key);
      rooms?.delete(room);
      if (rooms?.size === 0) this.#present.delete(address);
    }
  }
}

/** TURN REST API (draft-uberti-behave-turn-rest-00, section 2.2), as coturn's `use-auth-secret`. */
export function turnPassword(secret: string, username: string): string {
  return createHmac('sha1', secret).update(username).digest('base64');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
