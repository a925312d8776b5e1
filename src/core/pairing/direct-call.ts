// How a browser calls a device at its direct address, with nothing said beforehand. The first packet of ICE
// carries a user name, `called:caller`, whose first half the caller chooses. It writes its own DTLS
// fingerprint and ICE password there, under a code that only those can make who have the address. So one
// packet tells the called device all that an answer code would, and both ends check the other's certificate.
// (libp2p's webrtc-direct, version 2, has the password there; no local description is edited.)
//
// Invariants: a name with a wrong code, of another caller or of another form is no call. Both ICE passwords
// differ from call to call. Nothing here lets anybody into a pool.

import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { base64 } from 'multiformats/bases/base64';
import { concatBytes, equalBytes, utf8 } from '../model/bytes.ts';
import type { DirectAddress } from './direct-address.ts';
import type { PairEnd } from './pair-sdp.ts';

/** A caller's end, and the credentials by which the called device answers this call only. */
export interface DirectCall {
  /** Its addresses are not known: ICE learns the one that the call came from. */
  readonly caller: PairEnd;
  readonly called: { readonly ufrag: string; readonly password: string };
}

const VERSION = 1;
const FINGERPRINT_BYTES = 32;
/** Whole groups of base64: version and fingerprint, 33 bytes; then the code, 15. */
const HEAD_CHARS = 44;
const CODE_BYTES = 15;
const CODE_CHARS = 20;
const ANSWER_BYTES = 24;
/** ice-char (RFC 8839, section 5.4): letters, digits, `+` and `/`, as base64 has them. */
const UFRAG = /^[\da-z+/]{4,32}$/iu;
/** RFC 8839: at least 22. Browsers use 24 to 32. */
const PASSWORD = /^[\da-z+/]{22,48}$/iu;

/** The called end as the caller writes it into its remote description. `caller`: as its browser made it. */
export function calledEnd({ fingerprint, secret, addresses }: DirectAddress, caller: PairEnd): PairEnd {
  const head = base64.baseEncode(concatBytes(Uint8Array.of(VERSION), caller.fingerprint));
  const ufrag = head + codeOf(secret, head, caller) + caller.password;
  return { ufrag, password: answerOf(secret, ufrag), fingerprint, addresses };
}

/** Undefined for a user name that nobody wrote who has the address with `secret`. */
export function readCall(secret: Uint8Array, called: string, callerUfrag: string): DirectCall | undefined {
  const head = called.slice(0, HEAD_CHARS);
  const password = called.slice(HEAD_CHARS + CODE_CHARS);
  if (!UFRAG.test(callerUfrag) || !PASSWORD.test(password)) return undefined;
  const [headBytes, code] = [bytesOf(head), bytesOf(called.slice(HEAD_CHARS, HEAD_CHARS + CODE_CHARS))];
  if (headBytes?.length !== 1 + FINGERPRINT_BYTES || headBytes[0] !== VERSION || code === undefined) {
    return undefined;
  }
  const caller = { ufrag: callerUfrag, password, fingerprint: headBytes.slice(1), addresses: [] };
  const right = bytesOf(codeOf(secret, head, caller));
  if (right === undefined || !equalBytes(code, right)) return undefined;
  return { caller, called: { ufrag: called, password: answerOf(secret, called) } };
}

function codeOf(secret: Uint8Array, head: string, { ufrag, password }: PairEnd): string {
  return base64.baseEncode(keyed(secret, 'call', `${head}:${ufrag}:${password}`).subarray(0, CODE_BYTES));
}

function answerOf(secret: Uint8Array, called: string): string {
  return base64.baseEncode(keyed(secret, 'answer', called).subarray(0, ANSWER_BYTES));
}

function keyed(secret: Uint8Array, use: 'call' | 'answer', text: string): Uint8Array {
  return hmac(sha256, secret, utf8(`palm/v1/direct-${use}:${text}`));
}

function bytesOf(text: string): Uint8Array | undefined {
  try {
    return base64.baseDecode(text);
  } catch {
    return undefined;
  }
}
