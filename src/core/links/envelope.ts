// Signaling envelopes (FORMATS.md, envelopes): how devices without a link yet tell each other how to link.
//
//   envelope = version (1 byte) || nonce (12) || AES-256-GCM of DAG-CBOR [payload, signature], under the
//              pool's signaling key, AAD = label || pool id
//   payload  = DAG-CBOR { v, pool, from, fromSession, toSession, link, seq, body }
//
// The signature is the device's (Ed25519), over a label and the payload. Invariants: an opened envelope was
// written by the device that it names, for this pool; all but announces name the one session they are for. So
// the SDP, with its DTLS fingerprint, is bound to the device key: carriers can drop envelopes, but cannot
// change them or stand in the middle. Whether an envelope is new is for the replay guard to tell.

import { encodeSigned, decodeSigned, PUBLIC_KEY_BYTES } from '../encoding/signed-record.ts';
import { concatBytes, utf8 } from '../model/bytes.ts';
import { isPalmError, PalmError } from '../model/errors.ts';
import { deviceIdOf, parsePoolId, type DeviceId, type PoolId } from '../model/ids.ts';
import { MAX_ENVELOPE_BYTES } from '../model/limits.ts';
import type { Cryptography, Identity, Random } from '../ports.ts';
import { bytesOf, decodeCbor, encodeCbor, fieldsOf, kindOf, textOf, uintOf } from '../encoding/decode.ts';
import { idBytes, parseLinkId, parseSessionId, type LinkId, type SessionId } from './link-ids.ts';

/** An ICE candidate as WebRTC's `RTCIceCandidateInit` has it. Media line index -1 stands for none. */
export interface Candidate {
  /** '' means that there are no more. */
  readonly candidate: string;
  readonly sdpMid: string | null;
  readonly sdpMLineIndex: number | null;
}

export type SignalBody =
  /** "I am here, in this session": to everyone, or to one session that should link with us. */
  | { readonly kind: 'announce' }
  | { readonly kind: 'offer'; readonly sdp: string }
  | { readonly kind: 'answer'; readonly sdp: string }
  | { readonly kind: 'candidate'; readonly candidate: Candidate }
  /** The attempt or link is over on this side. */
  | { readonly kind: 'bye' };

/** What an envelope says, before it is sealed. */
export interface Letter {
  readonly fromSession: SessionId;
  /** The one session it is for; null is everyone, and only an announce may be for everyone. */
  readonly toSession: SessionId | null;
  /** The attempt it belongs to. */
  readonly link: LinkId;
  /** Counts the letters of `fromSession`, to any addressee: no two have the same number. */
  readonly seq: number;
  readonly body: SignalBody;
}

/** An opened envelope: `from` wrote it. */
export interface OpenedLetter extends Letter {
  readonly from: DeviceId;
}

export interface EnvelopeKeys {
  readonly poolId: PoolId;
  /** 32 bytes. */
  readonly signalingKey: Uint8Array;
}

/** An SDP, in UTF-8 bytes: a data channel alone takes some 500, and each candidate in it 100. */
export const MAX_SDP_BYTES = 16 * 1024;
/** One candidate line, in UTF-8 bytes. */
const MAX_CANDIDATE_BYTES = 1024;

const VERSION = 1;
const NONCE_BYTES = 12;
/** RFC 8841 identifies a media section by a short token; browsers use one or two digits. */
const MAX_MID_BYTES = 16;
const MAX_MEDIA_LINE = 255;
/** Keeps the signature from being taken for that of anything else the device signs. */
const SIGNATURE_LABEL = utf8('palm/v1/envelope-signature');
const SEAL_LABEL = utf8('palm/v1/envelope');

/**
 * Signs and seals a letter. The caller owns the result, at most MAX_ENVELOPE_BYTES long.
 * @throws PalmError 'bad-argument' when an SDP or candidate is too long, or a letter other than an announce
 * has no addressee.
 */
export async function sealEnvelope(
  letter: Letter,
  keys: EnvelopeKeys,
  identity: Identity,
  cryptography: Pick<Cryptography, 'seal'>,
  random: Random,
): Promise<Uint8Array<ArrayBuffer>> {
  checkOutgoing(letter);
  const payload = encodeCbor({
    v: VERSION,
    pool: keys.poolId,
    from: identity.publicKey,
    fromSession: idBytes(letter.fromSession),
    toSession: letter.toSession === null ? null : idBytes(letter.toSession),
    link: idBytes(letter.link),
    seq: letter.seq,
    body: letter.body,
  });
  const signature = await identity.sign(concatBytes(SIGNATURE_LABEL, payload));
  // Random nonces: 2^32 envelopes under one key are safe (NIST SP 800-38D, 8.3), and a pool sends a few a
  // minute.
  const nonce = random.bytes(NONCE_BYTES);
  const plain = encodeSigned(payload, signature);
  const sealed = await cryptography.seal(keys.signalingKey, nonce, aadOf(keys.poolId), plain);
  return concatBytes(Uint8Array.of(VERSION), nonce, sealed);
}

/**
 * Opens and verifies an envelope.
 * @throws PalmError 'bad-message' for any that was not sealed and signed in this pool.
 */
export async function openEnvelope(
  envelope: Uint8Array,
  keys: EnvelopeKeys,
  cryptography: Pick<Cryptography, 'open' | 'verify'>,
): Promise<OpenedLetter> {
  if (envelope.length > MAX_ENVELOPE_BYTES) throw refusal(`it has ${envelope.length} bytes`);
  if (envelope[0] !== VERSION) throw refusal('it is of another version');
  if (envelope.length < 1 + NONCE_BYTES) throw refusal('it is cut short');
  const nonce = envelope.subarray(1, 1 + NONCE_BYTES);
  const sealed = envelope.subarray(1 + NONCE_BYTES);
  const plain = await cryptography.open(keys.signalingKey, nonce, aadOf(keys.poolId), sealed);
  if (plain === undefined) throw refusal('it was not sealed in this pool, or was changed on its way');
  const { payload, signature } = decodeSigned(plain, MAX_ENVELOPE_BYTES);
  const { publicKey, pool, letter } = decodePayload(payload);
  if (pool !== keys.poolId) throw refusal('it was written for another pool');
  if (!(await cryptography.verify(publicKey, concatBytes(SIGNATURE_LABEL, payload), signature))) {
    throw refusal('its signature does not fit the device that it names');
  }
  return { ...letter, from: deviceIdOf(publicKey) };
}

function aadOf(poolId: PoolId): Uint8Array {
  return concatBytes(SEAL_LABEL, Uint8Array.of(VERSION), utf8(poolId));
}

function decodePayload(payload: Uint8Array): { publicKey: Uint8Array; pool: PoolId; letter: Letter } {
  const fields = fieldsOf(decodeCbor(payload, MAX_ENVELOPE_BYTES), [
    'v',
    'pool',
    'from',
    'fromSession',
    'toSession',
    'link',
    'seq',
    'body',
  ]);
  if (fields['v'] !== VERSION) throw refusal('its payload is of another version');
  const toSession = fields['toSession'];
  const letter: Letter = {
    fromSession: parseSessionId(fields['fromSession']),
    toSession: toSession === null ? null : parseSessionId(toSession),
    link: parseLinkId(fields['link']),
    seq: uintOf(fields['seq'], Number.MAX_SAFE_INTEGER),
    body: decodeBody(fields['body']),
  };
  if (letter.toSession === null && letter.body.kind !== 'announce')
    throw refusal('it is for nobody in particular');
  return {
    publicKey: bytesOf(fields['from'], PUBLIC_KEY_BYTES, PUBLIC_KEY_BYTES),
    pool: parsePoolId(fields['pool']),
    letter,
  };
}

/** @throws PalmError 'bad-message' for anything that is no body of a letter. */
export function decodeBody(value: unknown): SignalBody {
  const kind = kindOf(value);
  switch (kind) {
    case 'announce':
    case 'bye':
      fieldsOf(value, ['kind']);
      return { kind };
    case 'offer':
    case 'answer':
      return { kind, sdp: textOf(fieldsOf(value, ['kind', 'sdp'])['sdp'], MAX_SDP_BYTES) };
    case 'candidate':
      return { kind, candidate: decodeCandidate(fieldsOf(value, ['kind', 'candidate'])['candidate']) };
    default:
      throw refusal('its body is of an unknown kind');
  }
}

function decodeCandidate(value: unknown): Candidate {
  const fields = fieldsOf(value, ['candidate', 'sdpMid', 'sdpMLineIndex']);
  const sdpMid = fields['sdpMid'];
  const sdpMLineIndex = fields['sdpMLineIndex'];
  return {
    candidate: textOf(fields['candidate'], MAX_CANDIDATE_BYTES),
    sdpMid: sdpMid === null ? null : textOf(sdpMid, MAX_MID_BYTES),
    sdpMLineIndex: sdpMLineIndex === null ? null : uintOf(sdpMLineIndex, MAX_MEDIA_LINE),
  };
}

/** Never send what our own decoder would refuse. */
function checkOutgoing({ toSession, body }: Letter): void {
  if (toSession === null && body.kind !== 'announce') {
    throw new PalmError({
      code: 'bad-argument',
      reason: 'internal',
      detail: `a letter of kind ${body.kind} without an addressee`,
    });
  }
  try {
    decodeBody(body);
  } catch (cause) {
    if (!isPalmError(cause, 'bad-message')) throw cause;
    throw new PalmError(
      { code: 'bad-argument', reason: 'internal', detail: `a connection ${body.kind} that cannot be sent` },
      { cause },
    );
  }
}

function refusal(why: string): PalmError {
  return new PalmError({ code: 'bad-message', what: 'envelope', detail: why });
}
