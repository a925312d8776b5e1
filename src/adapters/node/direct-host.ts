// Answers direct calls on one UDP port (core/pairing/direct-call.ts). The port is shared by all calls: a
// packet of a caller that is not known yet is shown to the gate, and what the gate takes becomes a
// connection.
//
// Invariants: the caller's certificate is the one that its call named, or DTLS ends. A call ends by itself:
// soon when it does not connect, after some minutes in any case.

import type { DirectAddress } from '../../core/pairing/direct-address.ts';
import { CallGate } from '../../core/pairing/call-gate.ts';
import type { DirectCall } from '../../core/pairing/direct-call.ts';
import { DirectWire } from '../../core/pairing/direct-wire.ts';
import { sdpOf } from '../../core/pairing/pair-sdp.ts';
import type { SignalWires } from '../../core/pairing/signal-wires.ts';
import type { Clock } from '../../core/ports.ts';
import type { DirectKeys } from './direct-keys.ts';
import type { DataChannels } from './node-webrtc.ts';

export interface DirectHostOptions extends DirectKeys {
  readonly clock: Clock;
  readonly wires: SignalWires;
  /** Addresses of this machine that others may reach, likeliest first. */
  readonly hosts: () => readonly string[];
}

/** As the caller's channel (webrtc-connection of a pairing). */
const CHANNEL = { negotiated: true, id: 0 };
/** From the first packet to an open channel, ms: as a caller waits. */
const CONNECT_MS = 15_000;
/** A caller that needs longer, because nobody may let it in, calls again. */
const CALL_MS = 5 * 60_000;
/** Envelopes that wait to go out, bytes: more are dropped, as a relay does. */
const MAX_BUFFERED_BYTES = 2 ** 20;

export class DirectHost {
  readonly #dataChannels: DataChannels;
  readonly #options: DirectHostOptions;
  readonly #gate: CallGate;
  readonly #listener: InstanceType<DataChannels['IceUdpMuxListener']>;
  readonly #ends = new Set<() => void>();

  /** @throws when the port is taken. */
  constructor(dataChannels: DataChannels, options: DirectHostOptions) {
    this.#dataChannels = dataChannels;
    this.#options = options;
    this.#gate = new CallGate(options.secret);
    this.#listener = new dataChannels.IceUdpMuxListener(options.port);
    this.#listener.onUnhandledStunRequest(({ localUfrag, ufrag, host }) => {
      const call = this.#gate.take({ called: localUfrag, caller: ufrag, host });
      if (call === undefined) return;
      try {
        this.#answer(call);
      } catch {
        // Without this, one call that cannot be answered would end the device. Callers call again.
        this.#gate.ended(call.called.ufrag);
      }
    });
  }

  /** Where it answers now; undefined on a machine without an address. */
  get address(): DirectAddress | undefined {
    const { fingerprint, secret, port, hosts } = this.#options;
    const addresses = hosts().map((host) => ({ host, port }));
    return addresses.length === 0 ? undefined : { fingerprint, secret, addresses };
  }

  close(): void {
    for (const end of this.#ends) end();
    this.#listener.stop();
  }

  #answer({ caller, called }: DirectCall): void {
    const { certificate, key, port, clock, wires } = this.#options;
    const connection = new this.#dataChannels.PeerConnection('palm', {
      iceServers: [],
      enableIceUdpMux: true,
      portRangeBegin: port,
      portRangeEnd: port,
      certificatePemFile: certificate,
      keyPemFile: key,
      disableAutoNegotiation: true,
    });
    const channel = connection.createDataChannel('palm-pairing', CHANNEL);
    const end = (): void => {
      if (!this.#ends.delete(end)) return;
      cancelTimer();
      wire.close();
      this.#gate.ended(called.ufrag);
      channel.close();
      connection.close();
    };
    const wire = new DirectWire(wires, {
      write: (frame) => {
        if (channel.isOpen() && channel.bufferedAmount() < MAX_BUFFERED_BYTES)
          channel.sendMessageBinary(frame);
      },
      over: end,
    });
    let cancelTimer = clock.after(CONNECT_MS, end);
    this.#ends.add(end);
    channel.onOpen(() => {
      if (!this.#ends.has(end)) return;
      cancelTimer();
      cancelTimer = clock.after(CALL_MS, end);
      wire.connected();
    });
    channel.onMessage((data) => {
      if (!this.#ends.has(end)) return;
      wire.frame(typeof data === 'string' ? new Uint8Array(0) : new Uint8Array(data));
    });
    channel.onClosed(end);
    connection.onStateChange((state) => {
      if (state === 'failed' || state === 'closed') end();
    });
    connection.setRemoteDescription(sdpOf(caller, 'offer'), 'offer');
    connection.setLocalDescription('answer', { iceUfrag: called.ufrag, icePwd: called.password });
  }
}
