// The WebSocket to the relay, of the package ws: Node has one of its own from 22 on only.

import { WebSocket } from 'ws';
import type { RelaySocket } from '../portable/links/relay-client.ts';

/**
 * Does not ask who vouches for the relay: envelopes are sealed and signed, and a Node device loads no code
 * from it (docs/decisions/0077-what-a-node-device-asks-of-the-relay.md).
 */
export class NodeRelaySocket extends WebSocket implements RelaySocket {
  constructor(url: string, subprotocols: string[]) {
    super(url, subprotocols, { rejectUnauthorized: false, perMessageDeflate: false });
  }
}
