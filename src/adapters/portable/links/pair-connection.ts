// The WebRTC connection that two codes make (core/pairing). Local descriptions are never edited; the remote
// one is written from the other device's code, when all of this end's addresses are known.
//
// Invariants: no server is asked for anything. A failure of ICE before the channel opens is no end: the
// device that scanned a code looks for the other long before that one knows of it.

import type { DirectAddress } from '../../../core/pairing/direct-address.ts';
import { calledEnd } from '../../../core/pairing/direct-call.ts';
import type { PairConnection, PairConnectionEvents } from '../../../core/pairing/pair-port.ts';
import { endOfSdp, sdpOf, type PairEnd } from '../../../core/pairing/pair-sdp.ts';

/** The channel's number and name; both ends make it, so neither waits for the other's. */
const CHANNEL = { negotiated: true, id: 0, ordered: true };

export class WebRtcPairConnection implements PairConnection {
  readonly #connection: RTCPeerConnection;
  readonly #channel: RTCDataChannel;
  #isOver = false;

  /** `wrtc`: default the platform's. @throws when there is none. */
  constructor(events: PairConnectionEvents, wrtc: Pick<typeof globalThis, 'RTCPeerConnection'> = globalThis) {
    this.#connection = new wrtc.RTCPeerConnection({ iceServers: [] });
    this.#channel = this.#connection.createDataChannel('palm-pairing', CHANNEL);
    this.#channel.binaryType = 'arraybuffer';
    this.#channel.addEventListener('open', () => {
      if (!this.#isOver) events.connected();
    });
    this.#channel.addEventListener('message', ({ data }: MessageEvent<unknown>) => {
      // Palm sends no text: what is not bytes becomes an empty frame, which no Palm device sends.
      const frame = data instanceof ArrayBuffer ? new Uint8Array(data) : new Uint8Array(0);
      if (!this.#isOver) events.frame(frame);
    });
    this.#channel.addEventListener('close', () => {
      if (this.#isOver) return;
      this.#isOver = true;
      events.closed();
    });
  }

  async offer(): Promise<PairEnd> {
    return this.#complete(await this.#connection.createOffer());
  }

  async answer(offer: PairEnd): Promise<PairEnd> {
    await this.#connection.setRemoteDescription({ type: 'offer', sdp: sdpOf(offer, 'offer') });
    return this.#complete(await this.#connection.createAnswer());
  }

  async accept(answer: PairEnd): Promise<void> {
    await this.#connection.setRemoteDescription({ type: 'answer', sdp: sdpOf(answer, 'answer') });
  }

  async call(address: DirectAddress): Promise<void> {
    await this.#connection.setLocalDescription(await this.#connection.createOffer());
    // The called device learns this one's addresses from the packets that come.
    await this.accept(calledEnd(address, endOfSdp(this.#connection.localDescription?.sdp ?? '')));
  }

  write(frame: Uint8Array<ArrayBuffer>): boolean {
    if (this.#isOver || this.#channel.readyState !== 'open') return false;
    try {
      this.#channel.send(frame);
      return true;
    } catch {
      // Its queue is full, or it has just closed: `close` follows, or did.
      return false;
    }
  }

  destroy(): void {
    this.#isOver = true;
    // Closing the channel first lets what was sent go out: the connection ends at once.
    this.#channel.addEventListener('close', () => this.#connection.close());
    if (this.#channel.readyState === 'open') this.#channel.close();
    else this.#connection.close();
  }

  async #complete(description: RTCSessionDescriptionInit): Promise<PairEnd> {
    const connection = this.#connection;
    const gathered = new Promise<void>((resolve) => {
      const look = (): void => {
        if (connection.iceGatheringState === 'complete') resolve();
      };
      connection.addEventListener('icegatheringstatechange', look);
      look();
    });
    await connection.setLocalDescription(description);
    await gathered;
    return endOfSdp(connection.localDescription?.sdp ?? '');
  }
}
