// The few byte operations that the formats share.

import { base64url } from 'multiformats/bases/base64';

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Not constant-time: for public values only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}

export function utf8(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** Lower-case hex. */
export function hexOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte] ?? '';
  return text;
}

/** RFC 4648 section 5, without padding. */
export function base64UrlOf(bytes: Uint8Array): string {
  return base64url.baseEncode(bytes);
}

/** The bytes behind `base64UrlOf`'s text. */
export function bytesOfBase64Url(text: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(base64url.baseDecode(text));
}

/**
 * Frees the memory behind `bytes` immediately. Neither it nor another view of its buffer may be used
 * afterwards. Buffers weigh nothing in the engine's own count of its heap, so it lets some 64 MiB of dead
 * ones gather in each thread before it collects them; and memory that was just freed is the fastest to get
 * again. No effect where the engine cannot do it (before ES2024's ArrayBuffer.prototype.transfer), or when
 * the buffer was transferred already.
 */
export function discard(bytes: Uint8Array<ArrayBuffer>): void {
  const { buffer } = bytes;
  const transfer: unknown = Reflect.get(buffer, 'transfer');
  if (buffer.byteLength > 0 && typeof transfer === 'function') Reflect.apply(transfer, buffer, [0]);
}

/** The bytes behind `hexOf`'s text. */
export function bytesOfHex(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length: text.length / 2 }, (_, index) =>
    Number.parseInt(text.slice(2 * index, 2 * index + 2), 16),
  );
}
