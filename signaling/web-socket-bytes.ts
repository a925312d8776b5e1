// Messages of WebSockets as bytes on the wire, and the refusal of a WebSocket.

import type { Duplex } from 'node:stream';
import type { RawData } from 'ws';

/** A binary message in one frame as a server sends it: unmasked (RFC 6455, section 5.2). */
export function messageOf(payload: Uint8Array): Buffer {
  const { length } = payload;
  const header = length < 126 ? [0x82, length] : [0x82, 126, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(header), payload]);
}

/** Refuses a WebSocket handshake with an HTTP status line. */
export function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () => socket.destroy());
}

/** `ws` gives one Buffer while its binaryType is 'nodebuffer', the default. */
export function bytesOf(data: RawData): Uint8Array {
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  return Array.isArray(data) ? Buffer.concat(data) : data;
}
