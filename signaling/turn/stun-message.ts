// STUN and TURN messages (RFC 8489, RFC 8656), as far as the relay must understand them: it answers binding
// requests, and looks into what goes to the TURN server.
//
// Invariants: reading never throws, whatever the bytes are; what is read is a view of them.

import { isIP, SocketAddress } from 'node:net';

/** Method and class of a message, its first 16 bits. */
export const STUN = {
  bindingRequest: 0x0001,
  bindingSuccess: 0x0101,
  allocateRequest: 0x0003,
  allocateSuccess: 0x0103,
  refreshRequest: 0x0004,
  sendIndication: 0x0016,
  permissionRequest: 0x0008,
  channelRequest: 0x0009,
} as const;

/** The class bits of an error response. */
const ERROR_CLASS = 0x0110;
const ATTRIBUTE = { username: 0x0006, errorCode: 0x0009, peer: 0x0012, mapped: 0x0020 } as const;
const HEADER_BYTES = 20;
const MAGIC = 0x2112a442;
const FAMILY = { v4: 1, v6: 2 } as const;
const FORBIDDEN = { code: 403, reason: 'Forbidden' };

export interface Endpoint {
  /** In the form in which Node writes a socket's address. */
  readonly address: string;
  readonly port: number;
}

export interface StunMessage {
  readonly type: number;
  /** The message's own number, with the magic cookie before it: 16 bytes. */
  readonly id: Buffer;
  readonly username: string | undefined;
  /** Of every XOR-PEER-ADDRESS; undefined where one cannot be read. */
  readonly peers: readonly (Endpoint | undefined)[];
}

/** Undefined if it is no STUN message, or not a whole one. */
export function readStun(bytes: Buffer): StunMessage | undefined {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32BE(4) !== MAGIC) return undefined;
  const type = bytes.readUInt16BE(0);
  if (type >= 0x4000 || bytes.readUInt16BE(2) !== bytes.length - HEADER_BYTES) return undefined;
  const id = bytes.subarray(4, HEADER_BYTES);
  let username: string | undefined;
  const peers: (Endpoint | undefined)[] = [];
  for (let at = HEADER_BYTES; at < bytes.length;) {
    if (at + 4 > bytes.length) return undefined;
    const byteCount = bytes.readUInt16BE(at + 2);
    const end = at + 4 + byteCount;
    if (end > bytes.length) return undefined;
    const value = bytes.subarray(at + 4, end);
    const attribute = bytes.readUInt16BE(at);
    // The first one counts (RFC 8489, section 14).
    if (attribute === ATTRIBUTE.username) username ??= value.toString('utf8');
    else if (attribute === ATTRIBUTE.peer) peers.push(readEndpoint(value, id));
    at = end + ((4 - (byteCount % 4)) % 4);
  }
  return { type, id, username, peers };
}

/** Whether it is data of a channel (RFC 8656, section 12.4). */
export function isChannelData(bytes: Buffer): boolean {
  const [first = 0] = bytes;
  return bytes.length >= 4 && first >= 0x40 && first <= 0x4f;
}

/** The answer to a binding request: where it came from. */
export function bindingSuccess(id: Buffer, from: Endpoint): Buffer {
  return message(STUN.bindingSuccess, id, ATTRIBUTE.mapped, xorEndpoint(from, id));
}

/** The answer to a request that is refused here. */
export function refusal(type: number, id: Buffer): Buffer {
  const { code, reason } = FORBIDDEN;
  const head = Buffer.from([0, 0, Math.trunc(code / 100), code % 100]);
  return message(type | ERROR_CLASS, id, ATTRIBUTE.errorCode, Buffer.concat([head, Buffer.from(reason)]));
}

/** With one attribute. */
function message(type: number, id: Buffer, attribute: number, value: Buffer): Buffer {
  const padding = Buffer.alloc((4 - (value.length % 4)) % 4);
  const head = Buffer.alloc(4);
  head.writeUInt16BE(type, 0);
  head.writeUInt16BE(4 + value.length + padding.length, 2);
  const attributeHead = Buffer.alloc(4);
  attributeHead.writeUInt16BE(attribute, 0);
  attributeHead.writeUInt16BE(value.length, 2);
  return Buffer.concat([head, id, attributeHead, value, padding]);
}

/** RFC 8489, section 14.2. */
function readEndpoint(value: Buffer, id: Buffer): Endpoint | undefined {
  const family = value[1];
  const isWhole =
    (family === FAMILY.v4 && value.length === 8) || (family === FAMILY.v6 && value.length === 20);
  if (!isWhole) return undefined;
  const port = value.readUInt16BE(2) ^ (MAGIC >>> 16);
  const bytes = xor(value.subarray(4), id);
  if (family === FAMILY.v4) return { address: bytes.join('.'), port };
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return { address: plainAddress(groups.join(':')), port };
}

function xorEndpoint({ address, port }: Endpoint, id: Buffer): Buffer {
  const bytes = addressBytes(address);
  const head = Buffer.alloc(4);
  head[1] = bytes.length === 4 ? FAMILY.v4 : FAMILY.v6;
  head.writeUInt16BE(port ^ (MAGIC >>> 16), 2);
  return Buffer.concat([head, xor(bytes, id)]);
}

function xor(bytes: Buffer, mask: Buffer): Buffer {
  return Buffer.from(bytes.map((byte, index) => byte ^ (mask[index] ?? 0)));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail] = address.split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...left, ...zeros, ...right].entries()) {
    bytes.writeUInt16BE(Number.parseInt(group, 16), 2 * index);
  }
  return bytes;
}

const MAPPED_IPV4 = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i;

/** One form for each address: no zone, no IPv4 within IPv6, IPv6 as Node writes it. '' if it is none. */
export function plainAddress(text: string): string {
  const [address = ''] = text.split('%');
  const family = isIP(address);
  if (family === 0) return '';
  const { address: plain } = new SocketAddress({ address, family: family === 6 ? 'ipv6' : 'ipv4' });
  return MAPPED_IPV4.exec(plain)?.[1] ?? plain;
}
