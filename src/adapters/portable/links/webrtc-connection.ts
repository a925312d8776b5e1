// One WebRTC connection with one data channel, over the platform's WebRTC or one that it is given: the only
// file that knows simple-peer.
//
// Invariants: 'connected' comes before the first frame; 'closed' comes at most once, and never after
// `destroy`. Who is at the other end is decided by the SDP, whose fingerprint DTLS enforces: the caller
// applies only signals that it verified.

import SimplePeer from 'simple-peer/simplepeer.min.js';
import type { ConnectionSignal } from '../../../core/links/link-events.ts';
import { SECOND_PROTOCOL } from '../../../core/links/second-frames.ts';
import { FRAME_BYTES, SEND_QUEUE_LOW_BYTES } from '../../../core/model/limits.ts';
import type { LinkPath } from '../../../core/transport-port.ts';
import type { Connection, ConnectionEvents, IceServer } from './connection.ts';
import { isOwnLoopback, linkPathIn } from './link-path.ts';

/** WebRTC where the platform has none of its own. */
export type WebRtc = Pick<
  typeof globalThis,
  'RTCPeerConnection' | 'RTCSessionDescription' | 'RTCIceCandidate' | 'RTCDataChannel'
>;

export class WebRtcConnection implements Connection {
  readonly #peer: SimplePeer;
  readonly #events: ConnectionEvents;
  readonly #wrtc: WebRtc;
  #channel: RTCDataChannel | undefined;
  #isConnected = false;
  #isOver = false;
  #path: LinkPath | undefined;
  #failure = 'the connection was closed';

  /**
   * `servers`: those of the relay, or none; Palm contacts nothing outside the network. `wrtc`: default the
   * platform's. @throws when there is none.
   */
  constructor(
    initiator: boolean,
    events: ConnectionEvents,
    servers: readonly IceServer[] = [],
    wrtc?: WebRtc,
  ) {
    this.#events = events;
    this.#wrtc = wrtc ?? globalThis;
    this.#peer = new SimplePeer({
      initiator,
      trickle: true,
      objectMode: true,
      channelName: 'palm',
      // Node's WebRTC asks for larger sockets, so a second connection brings it nothing.
      channelConfig: wrtc === undefined ? { protocol: SECOND_PROTOCOL } : {},
      config: { iceServers: servers.map((server) => ({ ...server })) },
      ...(wrtc === undefined ? {} : { wrtc }),
    });
    this.#peer.on('signal', (data) => {
      const signal = connectionSignal(data);
      if (signal !== undefined && !this.#isOver) events.signal(signal);
    });
    this.#peer.on('error', (error) => {
      this.#failure = error.message;
    });
    this.#peer.on('close', () => {
      if (this.#isOver) return;
      this.#isOver = true;
      events.closed(this.#failure);
    });
    // RFC 7675, section 5.1: consent is asked for every few seconds. Chromium says 'disconnected' after 15 s.
    this.#connection?.addEventListener('iceconnectionstatechange', () => {
      const isLost = this.#connection?.iceConnectionState === 'disconnected';
      if (!isLost) this.#look();
      if (isLost && this.#isConnected && !this.#isOver) events.doubted();
    });
    // The end that offers has made its channel by now. The other end gets it after simple-peer's own handler.
    const channel: unknown = Reflect.get(this.#peer, '_channel');
    if (channel instanceof this.#wrtc.RTCDataChannel) this.#take(channel);
    else this.#connection?.addEventListener('datachannel', ({ channel: offered }) => this.#take(offered));
  }

  get maxFrameBytes(): number {
    return Math.min(FRAME_BYTES, this.#connection?.sctp?.maxMessageSize ?? FRAME_BYTES);
  }

  get protocol(): string {
    return this.#channel?.protocol ?? '';
  }

  get bufferedBytes(): number {
    return this.#channel?.bufferedAmount ?? 0;
  }

  apply(signal: ConnectionSignal): void {
    if (this.#isOver) return;
    if (signal.kind === 'candidate') this.#peer.signal({ candidate: { ...signal.candidate } });
    else this.#peer.signal({ type: signal.kind, sdp: signal.sdp });
  }

  write(frame: Uint8Array<ArrayBuffer>): boolean {
    if (this.#isOver || this.#channel?.readyState !== 'open') return false;
    try {
      this.#channel.send(frame);
      return true;
    } catch (error) {
      // The channel's queue is full, or it has just closed: either way it can promise nothing more.
      this.#failure = error instanceof Error ? error.message : String(error);
      this.#peer.destroy();
      return false;
    }
  }

  destroy(): void {
    this.#isOver = true;
    this.#peer.destroy();
  }

  get #connection(): RTCPeerConnection | undefined {
    const connection: unknown = Reflect.get(this.#peer, '_pc');
    return connection instanceof this.#wrtc.RTCPeerConnection ? connection : undefined;
  }

  /**
   * From its first frame on, the channel bypasses simple-peer: its stream starts by a timer, which a browser
   * may hold back in a hidden tab, and meanwhile keeps the first frames while later ones overtake them. It
   * also costs more than what Palm does with a frame.
   */
  #take(channel: RTCDataChannel): void {
    if (this.#isOver || this.#channel !== undefined) return;
    this.#channel = channel;
    channel.bufferedAmountLowThreshold = SEND_QUEUE_LOW_BYTES;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- takes the place of simple-peer's own
    channel.onmessage = ({ data }: MessageEvent<unknown>) => {
      this.#connect();
      if (!this.#isOver) this.#events.frame(frameOf(data));
    };
    channel.addEventListener('bufferedamountlow', () => {
      if (!this.#isOver) this.#events.drained();
    });
    channel.addEventListener('open', () => this.#connect());
    if (channel.readyState === 'open') this.#connect();
  }

  #connect(): void {
    if (this.#isOver || this.#isConnected) return;
    this.#isConnected = true;
    this.#events.connected();
    // A better pair may be found after the first that works. Node's WebRTC lacks this, and stays with one.
    const ice: Partial<RTCIceTransport> | undefined = this.#connection?.sctp?.transport?.iceTransport;
    ice?.addEventListener?.('selectedcandidatepairchange', () => this.#look());
    this.#look();
  }

  #look(): void {
    if (!this.#isConnected) return;
    this.#connection?.getStats().then(
      (report) => {
        const path = linkPathIn(report);
        if (this.#isOver || path === undefined || path === this.#path) return;
        this.#path = path;
        this.#events.path?.(path);
      },
      () => undefined, // it has just closed
    );
  }
}

/** simple-peer's own signals that concern media are never sent: undefined. */
function connectionSignal(data: unknown): ConnectionSignal | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  if ('sdp' in data && 'type' in data && typeof data.sdp === 'string') {
    const { type, sdp } = data;
    return type === 'offer' || type === 'answer' ? { kind: type, sdp } : undefined;
  }
  return 'candidate' in data ? candidateSignal(data.candidate) : undefined;
}

function candidateSignal(candidate: unknown): ConnectionSignal | undefined {
  if (typeof candidate !== 'object' || candidate === null) return undefined;
  const text: unknown = Reflect.get(candidate, 'candidate');
  const sdpMid: unknown = Reflect.get(candidate, 'sdpMid');
  const sdpMLineIndex: unknown = Reflect.get(candidate, 'sdpMLineIndex');
  if (typeof text !== 'string' || isOwnLoopback(text)) return undefined;
  return {
    kind: 'candidate',
    candidate: {
      candidate: text,
      sdpMid: typeof sdpMid === 'string' ? sdpMid : null,
      sdpMLineIndex: typeof sdpMLineIndex === 'number' ? sdpMLineIndex : null,
    },
  };
}

/** Palm sends no text: what is not bytes becomes an empty frame, which no Palm device sends. */
function frameOf(data: unknown): Uint8Array<ArrayBuffer> {
  return data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array();
}
