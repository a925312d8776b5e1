// What a link needs from its platform: one connection with one ordered channel to one other device, and
// events of the page or process. Browsers have WebRTC (webrtc-connection.ts).

import type { ConnectionSignal } from '../../../core/links/link-events.ts';
import type { LinkPath } from '../../../core/transport-port.ts';

export interface ConnectionEvents {
  /** To be brought to the other end. */
  signal(signal: ConnectionSignal): void;
  /** Comes before the first frame. */
  connected(): void;
  /** The callee owns `frame`. A text frame shows as an empty one. */
  frame(frame: Uint8Array<ArrayBuffer>): void;
  /** The bytes waiting to be sent fell below SEND_QUEUE_LOW_BYTES. */
  drained(): void;
  /**
   * The platform's own keep-alive no longer gets answers: the path or the other end is probably gone. Comes
   * some 15 s after that (docs/decisions/0051), since Palm pings no link on which it expects nothing.
   */
  doubted(): void;
  /** The way of its bytes is known, or another than before. Not every platform tells. */
  path?(path: LinkPath): void;
  /** Comes at most once, and never after `destroy`. */
  closed(reason: string): void;
}

export interface Connection {
  /**
   * What the end that offered it calls the protocol of its channel; '' if that is nothing. Known once it is
   * connected.
   */
  readonly protocol?: string;
  /** The largest frame that the channel takes, bytes. */
  readonly maxFrameBytes: number;
  /** Bytes waiting in the channel. */
  readonly bufferedBytes: number;
  apply(signal: ConnectionSignal): void;
  /** Hands a frame to the channel, which copies it. Returns false once the channel is closing. */
  write(frame: Uint8Array<ArrayBuffer>): boolean;
  /** Ends it without a further event. */
  destroy(): void;
}

/** A server that tells a connection its address (stun:), or carries its data (turn:). */
export interface IceServer {
  readonly urls: string;
  readonly username?: string;
  readonly credential?: string;
}

/**
 * Begins a connection; one of its two ends is the initiator. @throws when the platform has no such
 * connections.
 */
export type Connect = (
  initiator: boolean,
  events: ConnectionEvents,
  servers?: readonly IceServer[],
) => Connection;

/** Events of the page or process that concern links. */
export interface PageLife {
  /** It is closing, or suspended: the last moment to say goodbye. */
  leaving(): void;
  /** It is being hidden or frozen: for a while nothing may happen in it. */
  freezing(): void;
  /**
   * Something may have been missed: check links and the relay now. `frozenMs`: how long the page was frozen,
   * if the platform tells.
   */
  woke(frozenMs?: number): void;
}

/** Reports to `life` from now on. Returns the unsubscribe function. */
export type WatchLife = (life: PageLife) => () => void;
