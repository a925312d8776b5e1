// What two WebRTC connections must know of each other, out of a session description and back into one. Only
// descriptions of the other end are written: local ones stay as the browser made them.
//
// The written offer says `a=setup:active`, so that whoever scans it becomes the DTLS server: it waits, for as
// long as people take to carry its answer back, where a client would give up after some 220 s. The written
// answer says `a=setup:passive`, which is what the scanner then is (RFC 8842, section 5).

import { bytesOfHex, hexOf } from '../model/bytes.ts';
import { PalmError } from '../model/errors.ts';
import { encodeAddress, type PairAddress } from './pair-address.ts';

export interface PairEnd {
  /** RFC 8839, section 5.4: letters, digits, `+` and `/`. */
  readonly ufrag: string;
  readonly password: string;
  /** SHA-256 of its DTLS certificate, 32 bytes. */
  readonly fingerprint: Uint8Array;
  /** Where it can be reached, the likeliest first. */
  readonly addresses: readonly PairAddress[];
}

export type PairKind = 'offer' | 'answer';

/** Host candidates of one component (RFC 8445, section 5.1.2.1): 2^24 times 126, and 256 minus 1. */
const HOST_PRIORITY = 126 * 2 ** 24 + 255;
const LOCAL_PREFERENCE = 65_535;
/** The same bound as of the app's links: Chromium's. */
const MAX_MESSAGE_BYTES = 262_144;

/** @throws PalmError 'bad-argument' for a description without one data channel and its keys. */
export function endOfSdp(sdp: string): PairEnd {
  const lines = sdp.split(/\r?\n/u);
  const value = (name: string): string | undefined =>
    lines.find((line) => line.startsWith(`a=${name}:`))?.slice(name.length + 3);
  const ufrag = value('ice-ufrag');
  const password = value('ice-pwd');
  const fingerprint = /^sha-256 (?<hex>(?:[\da-f]{2}:){31}[\da-f]{2})$/iu.exec(value('fingerprint') ?? '');
  if (ufrag === undefined || password === undefined || fingerprint === null) {
    throw new PalmError({ code: 'bad-argument', reason: 'internal', detail: 'a description without keys' });
  }
  const hex = (fingerprint.groups?.['hex'] ?? '').replaceAll(':', '').toLowerCase();
  return { ufrag, password, fingerprint: bytesOfHex(hex), addresses: addressesOf(lines) };
}

/** A description for `setRemoteDescription`. */
export function sdpOf({ ufrag, password, fingerprint, addresses }: PairEnd, kind: PairKind): string {
  const pairs = hexOf(fingerprint).toUpperCase().match(/../gu) ?? [];
  const lines = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE 0',
    'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
    'c=IN IP4 0.0.0.0',
    ...addresses.map(candidateLine),
    'a=end-of-candidates',
    `a=ice-ufrag:${ufrag}`,
    `a=ice-pwd:${password}`,
    `a=fingerprint:sha-256 ${pairs.join(':')}`,
    `a=setup:${kind === 'offer' ? 'active' : 'passive'}`,
    'a=mid:0',
    'a=sctp-port:5000',
    `a=max-message-size:${MAX_MESSAGE_BYTES}`,
  ];
  return `${lines.join('\r\n')}\r\n`;
}

function candidateLine({ host, port }: PairAddress, index: number): string {
  const priority = HOST_PRIORITY + 256 * (LOCAL_PREFERENCE - index);
  return `a=candidate:${index + 1} 1 udp ${priority} ${host} ${port} typ host`;
}

/** UDP addresses of this device, IPv6 last: LANs route IPv4, and each takes some bytes of the code. */
function addressesOf(lines: readonly string[]): PairAddress[] {
  const found = new Map<string, PairAddress>();
  for (const line of lines) {
    if (!line.startsWith('a=candidate:')) continue;
    const [, component, protocol = '', , host = '', port, , type] = line.split(' ');
    if (component !== '1' || protocol.toLowerCase() !== 'udp' || type !== 'host') continue;
    const address = { host: host.toLowerCase(), port: Number(port) };
    if (encodeAddress(address) !== undefined) found.set(`${address.host} ${address.port}`, address);
  }
  return [...found.values()].toSorted((a, b) => Number(a.host.includes(':')) - Number(b.host.includes(':')));
}
