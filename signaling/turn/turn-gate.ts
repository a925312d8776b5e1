// What of a client's datagrams goes to the TURN server. Its own lists of addresses are the same for
// everybody, so who may reach whom is decided here: nobody gets a permission for an address that is not in
// the room (turn-rights.ts), and no packet passes to it.
//
// Invariants: what is not understood does not pass; an address without a client in a room gets no answer.

import type { PoolId } from '../../src/core/model/ids.ts';
import {
  bindingSuccess,
  type Endpoint,
  isChannelData,
  readStun,
  refusal,
  STUN,
  type StunMessage,
} from './stun-message.ts';
import type { TurnRights } from './turn-rights.ts';

export type Verdict =
  | { readonly kind: 'answer'; readonly bytes: Buffer }
  /** To the TURN server. `room`: of the credential that it carries. `begins`: also where there is no flow. */
  | { readonly kind: 'pass'; readonly room?: PoolId; readonly begins: boolean }
  | { readonly kind: 'drop' };

const DROP: Verdict = { kind: 'drop' };
const ON: Verdict = { kind: 'pass', begins: false };

/** `room`: of the flow that the datagram belongs to, once it has shown a credential. */
export function judge(rights: TurnRights, from: Endpoint, bytes: Buffer, room: PoolId | undefined): Verdict {
  // The commonest first: a channel exists only where its request passed.
  if (isChannelData(bytes)) return room === undefined ? DROP : ON;
  const message = readStun(bytes);
  if (message === undefined || !rights.knows(from.address)) return DROP;
  switch (message.type) {
    case STUN.bindingRequest:
      return { kind: 'answer', bytes: bindingSuccess(message.id, from) };
    case STUN.allocateRequest:
      // The first has no credential: the TURN server asks for it.
      return message.username === undefined
        ? { kind: 'pass', begins: true }
        : withCredential(rights, from, message, room);
    case STUN.refreshRequest:
    case STUN.permissionRequest:
    case STUN.channelRequest:
      return withCredential(rights, from, message, room);
    case STUN.sendIndication:
      return room !== undefined && areReached(rights, room, message) ? ON : DROP;
    default:
      return DROP;
  }
}

function withCredential(
  rights: TurnRights,
  from: Endpoint,
  message: StunMessage,
  flowRoom: PoolId | undefined,
): Verdict {
  const room = rights.roomOf(from.address, message.username ?? '');
  const isAllowed =
    room !== undefined && (flowRoom === undefined || flowRoom === room) && areReached(rights, room, message);
  if (!isAllowed) return { kind: 'answer', bytes: refusal(message.type, message.id) };
  return { kind: 'pass', room, begins: false };
}

function areReached(rights: TurnRights, room: PoolId, { peers }: StunMessage): boolean {
  return peers.every((peer) => peer !== undefined && rights.mayReach(room, peer));
}
