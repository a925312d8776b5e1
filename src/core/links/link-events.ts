// What the link machine is told, and what it asks for. A device and a LinkId together name one connection,
// from its `create` to its `destroy`. The id alone does not, because the offering device chooses it. An input
// about a connection that the machine no longer has is ignored.

import type { DeviceId } from '../model/ids.ts';
import type { ConnectionId } from '../wire/relay-protocol.ts';
import type { Candidate, OpenedLetter, SignalBody } from './envelope.ts';
import type { LinkId, SessionId, WireId } from './link-ids.ts';

/**
 * How a letter came here: the sender's connection with the relay, the neighbour that passed it on, or a wire.
 */
export type Way = ConnectionId | DeviceId | WireId;

/** What a connection sends its other end while it is being made. */
export type ConnectionSignal =
  | { readonly kind: 'offer'; readonly sdp: string }
  | { readonly kind: 'answer'; readonly sdp: string }
  | { readonly kind: 'candidate'; readonly candidate: Candidate };

export type LinkInput =
  /** Whether the relay carries envelopes now. */
  | { readonly kind: 'relay'; readonly up: boolean }
  /** A wire is there, or gone; `up`: whether any carries envelopes now (core/pairing). */
  | { readonly kind: 'wire'; readonly up: boolean }
  /** The relay says that the connection of this session has left. */
  | { readonly kind: 'session-gone'; readonly device: DeviceId; readonly session: SessionId }
  /** A verified letter, new, for us or for everyone. */
  | { readonly kind: 'letter'; readonly letter: OpenedLetter; readonly way: Way }
  /** Our own connection has something for its other end. */
  | {
      readonly kind: 'signal';
      readonly device: DeviceId;
      readonly link: LinkId;
      readonly signal: ConnectionSignal;
    }
  | { readonly kind: 'connected'; readonly device: DeviceId; readonly link: LinkId }
  /** Our own connection failed or closed by itself. */
  | { readonly kind: 'closed'; readonly device: DeviceId; readonly link: LinkId; readonly reason: string }
  /** A message was handed to the link: something is expected back, if only the answer to a ping. */
  | { readonly kind: 'sent'; readonly device: DeviceId; readonly link: LinkId }
  /**
   * Any frame arrived. An occasional report is enough, well within PING_AFTER_MS. `isWaiting`: something
   * still waits to go out.
   */
  | {
      readonly kind: 'heard';
      readonly device: DeviceId;
      readonly link: LinkId;
      readonly isWaiting?: boolean;
    }
  /** The platform, or the layers above, doubt that anybody is at the other end. */
  | { readonly kind: 'doubted'; readonly device: DeviceId; readonly link: LinkId }
  /** The other side said goodbye on the link itself. */
  | { readonly kind: 'bye'; readonly device: DeviceId; readonly link: LinkId }
  /** The layers above want no link with this device for now. */
  | { readonly kind: 'close-device'; readonly device: DeviceId; readonly reason: string }
  /** The page was shown, came online, or may otherwise have missed something. */
  | { readonly kind: 'wake' }
  /** The wall clock was set by `byMs`, or the device slept about that long. */
  | { readonly kind: 'clock-jumped'; readonly byMs: number }
  | { readonly kind: 'tick' }
  /** This session ends, or the page is hidden for good; only 'wake' starts it again. */
  | { readonly kind: 'leave' };

export type LinkEffect =
  /**
   * To seal and send, in order; `to: null` is everyone. `isRoutine`: an announce in case an earlier one was
   * lost, of no use where everybody is linked.
   */
  | {
      readonly kind: 'letter';
      readonly isRoutine?: boolean;
      readonly to: { readonly device: DeviceId; readonly session: SessionId } | null;
      readonly link: LinkId;
      readonly body: SignalBody;
    }
  | { readonly kind: 'create'; readonly device: DeviceId; readonly link: LinkId; readonly initiator: boolean }
  | {
      readonly kind: 'apply';
      readonly device: DeviceId;
      readonly link: LinkId;
      readonly signal: ConnectionSignal;
    }
  /** Ends the connection; with `goodbye` a bye frame goes first. Its later events do not matter. */
  | { readonly kind: 'destroy'; readonly device: DeviceId; readonly link: LinkId; readonly goodbye: boolean }
  | { readonly kind: 'ping'; readonly device: DeviceId; readonly link: LinkId }
  | {
      readonly kind: 'link-up';
      readonly device: DeviceId;
      readonly session: SessionId;
      readonly link: LinkId;
    }
  /** `isLeft`: the other side said goodbye. */
  | {
      readonly kind: 'link-down';
      readonly device: DeviceId;
      readonly link: LinkId;
      readonly reason: string;
      readonly isLeft: boolean;
    }
  /** Another page signs as this device. Told once for each of its sessions. */
  | { readonly kind: 'twin' }
  /** A verified letter that no honest device writes. */
  | { readonly kind: 'refused'; readonly reason: string };
