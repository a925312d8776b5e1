// Where a device can be reached, as a code of pairing has it: a type, an address and a port (FORMATS.md,
// pairing codes). An mDNS name of a browser is a UUID under `.local`, which takes as many bytes as an IPv6
// address.

import { bytesOfHex, concatBytes, hexOf } from '../model/bytes.ts';

export interface PairAddress {
  /** As a candidate line has it: dotted IPv4, IPv6 in hexadecimal groups, or `<uuid>.local`. */
  readonly host: string;
  /** 1 to 65,535, UDP. */
  readonly port: number;
}

const IPV4 = 0;
const IPV6 = 1;
const MDNS = 2;
const PORT_BYTES = 2;
const UUID_NAME = /^(?<uuid>[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12})\.local$/u;
const IPV6_GROUPS = 8;

/** Undefined for an address of a form that codes do not carry. */
export function encodeAddress({ host, port }: PairAddress): Uint8Array | undefined {
  if (!Number.isInteger(port) || port < 1 || port > 0xff_ff) return undefined;
  const typed = typedHost(host.toLowerCase());
  return typed && concatBytes(typed, Uint8Array.of(port >> 8, port & 0xff));
}

/** The address at the beginning of `bytes`, and how many of them it takes; undefined for none. */
export function decodeAddress(bytes: Uint8Array): { address: PairAddress; byteCount: number } | undefined {
  const hostBytes = bytes[0] === IPV4 ? 4 : 16;
  const byteCount = 1 + hostBytes + PORT_BYTES;
  if (bytes.length < byteCount) return undefined;
  const host = hostOf(bytes[0], bytes.subarray(1, 1 + hostBytes));
  const port = (bytes[byteCount - 2] ?? 0) * 256 + (bytes[byteCount - 1] ?? 0);
  return host === undefined || port === 0 ? undefined : { address: { host, port }, byteCount };
}

function typedHost(host: string): Uint8Array | undefined {
  const uuid = UUID_NAME.exec(host)?.groups?.['uuid'];
  if (uuid !== undefined) return concatBytes(Uint8Array.of(MDNS), bytesOfHex(uuid.replaceAll('-', '')));
  if (host.includes(':')) {
    const groups = ipv6Groups(host);
    return groups && Uint8Array.of(IPV6, ...groups.flatMap((group) => [group >> 8, group & 0xff]));
  }
  const parts = host.split('.');
  const isIpv4 = parts.length === 4 && parts.every((part) => /^\d{1,3}$/u.test(part) && Number(part) <= 255);
  return isIpv4 ? Uint8Array.of(IPV4, ...parts.map(Number)) : undefined;
}

/** RFC 4291, section 2.2, forms 1 and 2: browsers write no dotted ends. */
function ipv6Groups(text: string): number[] | undefined {
  const [head = '', tail, ...more] = text.split('::');
  if (more.length > 0) return undefined;
  const [before, after] = [groupsOf(head), groupsOf(tail ?? '')];
  const missing = IPV6_GROUPS - before.length - after.length;
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const groups = [...before, ...Array<string>(missing).fill('0'), ...after];
  return groups.every((group) => /^[\da-f]{1,4}$/u.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':');
}

function hostOf(type: number | undefined, bytes: Uint8Array): string | undefined {
  const hex = hexOf(bytes);
  switch (type) {
    case IPV4:
      return bytes.join('.');
    case IPV6:
      return hex.match(/.{4}/gu)?.join(':');
    case MDNS:
      return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}.local`;
    default:
      return undefined;
  }
}
