// The relay without a WebSocket (FORMATS.md, relay protocol): frames come as server-sent events and go out in
// POST requests, one at a time, so that their order stays. It looks like a WebSocket to the relay client.

import { MAX_RELAY_FRAME_BYTES } from '../../../core/model/limits.ts';
import {
  joinFrames,
  MAX_FRAMES_BYTES,
  RELAY_EVENTS_PATH,
  RELAY_FRAMES_PATH,
  RELAY_ICE_QUERY,
} from '../../../core/wire/relay-protocol.ts';
import type { RelaySocket } from '../../portable/links/relay-client.ts';

const CONNECTING = 0;
const OPEN = 1;
const CLOSED = 3;

type Listener = (event: { data: unknown; code: number; reason: string }) => void;

export class EventStreamSocket implements RelaySocket {
  binaryType = 'arraybuffer';
  readonly #origin: string;
  readonly #events: EventSource;
  readonly #listeners = new Map<string, Listener[]>();
  #readyState = CONNECTING;
  /** What the relay gave this stream, to send by. */
  #secret = '';
  #queue: Uint8Array<ArrayBuffer>[] = [];
  #queuedBytes = 0;
  #isSending = false;

  /** `url`: ws: or wss:, as for a WebSocket. */
  constructor(url: string) {
    this.#origin = new URL(url).origin.replace(/^ws/u, 'http');
    this.#events = new EventSource(`${this.#origin}${RELAY_EVENTS_PATH}?${RELAY_ICE_QUERY}`);
    this.#events.addEventListener('opened', ({ data }) => {
      this.#secret = String(data);
      this.#readyState = OPEN;
      this.#tell('open');
    });
    this.#events.addEventListener('message', ({ data }) => {
      this.#tell('message', { data: bytesOf(String(data)) });
    });
    this.#events.addEventListener('probe', () => {
      if (!this.#isSending) this.#send();
    });
    this.#events.addEventListener('closed', ({ data }) => {
      this.#end(closeOf(String(data)));
    });
    // It would open another stream by itself, which the relay takes for another client.
    this.#events.addEventListener('error', () => this.#end());
  }

  get readyState(): number {
    return this.#readyState;
  }

  get bufferedAmount(): number {
    return this.#queuedBytes;
  }

  send(frame: Uint8Array<ArrayBuffer>): void {
    this.#queue.push(frame);
    this.#queuedBytes += frame.length;
    if (!this.#isSending) this.#send();
  }

  close(): void {
    this.#end();
  }

  addEventListener(type: 'open' | 'message' | 'close' | 'error', listener: Listener): void {
    this.#listeners.set(type, [...(this.#listeners.get(type) ?? []), listener]);
  }

  /** All that waits, as much as one request takes; nothing is a sign of life. */
  #send(): void {
    const frames: Uint8Array<ArrayBuffer>[] = [];
    let byteCount = 0;
    for (const frame of this.#queue) {
      if (byteCount + 4 + frame.length > MAX_FRAMES_BYTES) break;
      byteCount += 4 + frame.length;
      frames.push(frame);
    }
    this.#queue = this.#queue.slice(frames.length);
    for (const { length } of frames) this.#queuedBytes -= length;
    this.#isSending = true;
    fetch(`${this.#origin}${RELAY_FRAMES_PATH}?stream=${this.#secret}`, {
      method: 'POST',
      body: joinFrames(frames),
    }).then(
      ({ ok }) => {
        this.#isSending = false;
        if (!ok) this.#end();
        else if (this.#queue.length > 0 && this.#readyState === OPEN) this.#send();
      },
      () => this.#end(),
    );
  }

  #end({ code, reason } = { code: 1006, reason: '' }): void {
    if (this.#readyState === CLOSED) return;
    this.#readyState = CLOSED;
    this.#queue = [];
    this.#events.close();
    this.#tell('close', { code, reason });
  }

  #tell(type: string, event: Partial<Parameters<Listener>[0]> = {}): void {
    for (const listener of this.#listeners.get(type) ?? [])
      listener({ data: undefined, code: 0, reason: '', ...event });
  }
}

/** Nothing for what is not base64: the frame's decoder refuses it. */
function bytesOf(text: string): ArrayBuffer {
  if (text.length > 2 * MAX_RELAY_FRAME_BYTES) return new ArrayBuffer(0);
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0)).buffer;
  } catch {
    return new ArrayBuffer(0);
  }
}

function closeOf(text: string): { code: number; reason: string } | undefined {
  try {
    const close: unknown = JSON.parse(text);
    if (typeof close !== 'object' || close === null || !('code' in close) || !('reason' in close)) {
      return undefined;
    }
    return { code: Number(close.code), reason: String(close.reason) };
  } catch {
    return undefined;
  }
}
