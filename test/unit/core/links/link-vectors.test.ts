// Checks the bytes on links and to the relay against golden vectors: frames, relay frames, ids of sessions
// and links, envelopes.

import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import {
  openEnvelope,
  sealEnvelope,
  type Letter,
  type SignalBody,
} from '../../../../src/core/links/envelope.ts';
import { decodeSecondFrame, encodeSecondFrame } from '../../../../src/core/links/second-frames.ts';
import {
  newcomerMark,
  newLinkId,
  newSessionId,
  parseLinkId,
  parseSessionId,
} from '../../../../src/core/links/link-ids.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { parsePoolId } from '../../../../src/core/model/ids.ts';
import type { Lane } from '../../../../src/core/transport-port.ts';
import { encodeLinkFrame, FrameAssembler } from '../../../../src/core/wire/frames.ts';
import {
  decodeClientFrame,
  decodeRelayFrame,
  encodeClientFrame,
  encodeRelayFrame,
} from '../../../../src/core/wire/relay-protocol.ts';
import vectors from '../../../vectors/links.json' with { type: 'json' };
import { bytesOfHex } from '../../../fixtures/erasure-oracle.ts';
import { framesOf } from '../../../fixtures/frames-of.ts';
import { identityFrom } from '../../../fixtures/seeded-identity.ts';

describe('golden frames of a link', () => {
  it.each(vectors.messages)(
    'a $lane message in frames of $maxFrameBytes',
    ({ lane, maxFrameBytes, message, frames }) => {
      const made = framesOf([bytesOfHex(message)], laneOf(lane), maxFrameBytes);
      expect(made.map(hexOf)).toEqual(frames);
      const assembler = new FrameAssembler();
      const arrivals = frames.map((frame) => assembler.push(bytesOfHex(frame)));
      expect(arrivals.slice(0, -1).every((arrival) => arrival === undefined)).toBe(true);
      expect(arrivals.at(-1)).toEqual({ kind: 'message', lane, message: bytesOfHex(message) });
    },
  );

  it.each(vectors.linkFrames)('$frame.kind', ({ frame, bytes }) => {
    const arrival = new FrameAssembler().push(bytesOfHex(bytes));
    if (arrival === undefined || arrival.kind === 'message')
      throw new Error('expected a frame of the link itself');
    expect(plainOf(arrival)).toEqual(frame);
    expect(hexOf(encodeLinkFrame(arrival))).toBe(bytes);
  });
});

describe('golden frames about a second connection', () => {
  it.each(vectors.secondFrames)('$frame.kind', ({ frame, bytes }) => {
    const decoded = decodeSecondFrame(bytesOfHex(bytes));
    expect(decoded).toEqual(frame);
    expect(hexOf(encodeSecondFrame(decoded))).toBe(bytes);
  });
});

describe('golden frames of the relay', () => {
  it.each(vectors.clientFrames)('client: $frame.kind', ({ frame, bytes }) => {
    const decoded = decodeClientFrame(bytesOfHex(bytes));
    expect(plainOf(decoded)).toEqual(frame);
    expect(hexOf(encodeClientFrame(decoded))).toBe(bytes);
  });

  it.each(vectors.relayFrames)('relay: $frame.kind', ({ frame, bytes }) => {
    const decoded = decodeRelayFrame(bytesOfHex(bytes));
    expect(plainOf(decoded)).toEqual(frame);
    expect(hexOf(encodeRelayFrame(decoded))).toBe(bytes);
  });
});

describe('golden envelopes', () => {
  const keys = { poolId: parsePoolId(vectors.poolId), signalingKey: bytesOfHex(vectors.signalingKey) };

  it('belong to the session and link that the ids give', () => {
    const { session, link, newcomer } = vectors.ids;
    expect(newSessionId(session.openedAtMs, bytesOfHex(session.random))).toBe(session.id);
    expect(newLinkId(parseSessionId(bytesOfHex(link.session)), link.counter)).toBe(link.id);
    expect(newcomerMark(parseSessionId(bytesOfHex(newcomer.session)))).toBe(newcomer.mark);
  });

  it.each(vectors.envelopes)('$letter.seq: $letter.body.kind', async ({ letter, nonce, envelope }) => {
    const written: Letter = {
      fromSession: parseSessionId(bytesOfHex(letter.fromSession)),
      toSession: letter.toSession === null ? null : parseSessionId(bytesOfHex(letter.toSession)),
      link: parseLinkId(bytesOfHex(letter.link)),
      seq: letter.seq,
      body: bodyOf(letter.body),
    };
    const identity = identityFrom(bytesOfHex(vectors.deviceSeed));
    const random = { bytes: () => bytesOfHex(nonce) };
    expect(hexOf(await sealEnvelope(written, keys, identity, webCryptography, random))).toBe(envelope);
    const opened = await openEnvelope(bytesOfHex(envelope), keys, webCryptography);
    expect(opened).toEqual({ ...written, from: vectors.deviceId });
  });
});

function laneOf(text: string): Lane {
  return text === 'bulk' ? 'bulk' : 'control';
}

function bodyOf(body: (typeof vectors.envelopes)[number]['letter']['body']): SignalBody {
  switch (body.kind) {
    case 'announce':
    case 'bye':
      return { kind: body.kind };
    case 'offer':
    case 'answer':
      return { kind: body.kind, sdp: body.sdp ?? '' };
    case 'candidate':
      if (body.candidate === undefined) throw new Error('expected a candidate with a line');
      return { kind: body.kind, candidate: body.candidate };
    default:
      throw new Error(`no letter is of kind ${body.kind}`);
  }
}

/** Bytes in hex, as the vectors have them. */
function plainOf(frame: object): unknown {
  return Object.fromEntries(
    Object.entries(frame).map(([key, value]) => [key, value instanceof Uint8Array ? hexOf(value) : value]),
  );
}
