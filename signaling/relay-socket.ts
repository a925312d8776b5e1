// A client's WebSocket as the relay uses it.

import { WebSocket } from 'ws';
import { RELAY_CLOSE, type RelayClose } from '../src/core/wire/relay-protocol.ts';

/** How long a closed client may take to reply to the close frame before its socket is cut, ms. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Reasons for the codes with which `ws` itself closes (RFC 6455, section 7.4.1); it gives none. */
const PROTOCOL_REASONS = new Map([
  [1002, 'not a valid WebSocket message'],
  [1007, 'text that is not UTF-8'],
]);

/** Our own reasons for what `ws` closes because of our limits. */
const OWN_CLOSES = new Map<number, RelayClose>([
  [1008, RELAY_CLOSE.unfinished],
  [1009, RELAY_CLOSE.messageTooLarge],
]);

/** Gives every close that `ws` decides a reason (ours for a message over a limit) and a time limit. */
export class RelaySocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    if (this.readyState === WebSocket.OPEN) {
      const timer = setTimeout(() => this.terminate(), CLOSE_TIMEOUT_MS);
      this.once('close', () => clearTimeout(timer));
    }
    const own = OWN_CLOSES.get(code ?? 0);
    if (own !== undefined) super.close(own.code, own.reason);
    else super.close(code, reason ?? PROTOCOL_REASONS.get(code ?? 0));
  }
}
