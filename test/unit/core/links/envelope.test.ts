// Signaling envelopes: any that was not just written by the device it names, for this pool and this session,
// is refused. Real Ed25519 and AES-GCM throughout.

import { decode, encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { systemRandom } from '../../../../src/adapters/portable/random.ts';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import {
  MAX_SDP_BYTES,
  openEnvelope,
  sealEnvelope,
  type EnvelopeKeys,
  type Letter,
  type SignalBody,
} from '../../../../src/core/links/envelope.ts';
import { newLinkId, newSessionId, SESSION_RANDOM_BYTES } from '../../../../src/core/links/link-ids.ts';
import { ReplayGuard } from '../../../../src/core/links/replay-guard.ts';
import { concatBytes, utf8 } from '../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import { deviceIdOf, parsePoolId } from '../../../../src/core/model/ids.ts';
import { MAX_ENVELOPE_BYTES } from '../../../../src/core/model/limits.ts';
import type { Identity } from '../../../../src/core/ports.ts';

const KEYS: EnvelopeKeys = { poolId: parsePoolId('ab'.repeat(16)), signalingKey: new Uint8Array(32).fill(7) };
const HERE = newSessionId(1_700_000_000_000, systemRandom.bytes(SESSION_RANDOM_BYTES));
const THERE = newSessionId(1_700_000_000_001, systemRandom.bytes(SESSION_RANDOM_BYTES));
const LINK = newLinkId(HERE, 1);
const OFFER: SignalBody = { kind: 'offer', sdp: 'v=0\r\na=fingerprint:sha-256 AA:BB\r\n' };

let alice: Identity;
let mallory: Identity;

beforeAll(async () => {
  alice = await newIdentity();
  mallory = await newIdentity();
});

async function newIdentity(): Promise<Identity> {
  const pair = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']);
  if (!('privateKey' in pair)) throw new Error('expected an Ed25519 key pair');
  const publicKey = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  return {
    deviceId: deviceIdOf(publicKey),
    publicKey,
    async sign(message) {
      return new Uint8Array(await crypto.subtle.sign('Ed25519', pair.privateKey, Uint8Array.from(message)));
    },
  };
}

function letter(body: SignalBody = OFFER, seq = 1): Letter {
  return { fromSession: HERE, toSession: THERE, link: LINK, seq, body };
}

function sealed(what: Letter, keys = KEYS, identity = alice): Promise<Uint8Array<ArrayBuffer>> {
  return sealEnvelope(what, keys, identity, webCryptography, systemRandom);
}

async function expectRefusal(envelope: Uint8Array, keys = KEYS): Promise<void> {
  const outcome = await openEnvelope(envelope, keys, webCryptography).catch((error: unknown) => error);
  expect(isPalmError(outcome, 'bad-message'), String(outcome)).toBe(true);
}

/** What a member with the pool's key can make: any plaintext, properly sealed. */
async function sealedPlain(plain: unknown): Promise<Uint8Array> {
  const nonce = systemRandom.bytes(12);
  const aad = concatBytes(utf8('palm/v1/envelope'), Uint8Array.of(1), utf8(KEYS.poolId));
  return concatBytes(
    Uint8Array.of(1),
    nonce,
    await webCryptography.seal(KEYS.signalingKey, nonce, aad, encode(plain)),
  );
}

/** The payload of a real envelope, for a member to tamper with. */
async function payloadOf(envelope: Uint8Array): Promise<{ payload: object; signature: Uint8Array }> {
  const aad = concatBytes(utf8('palm/v1/envelope'), Uint8Array.of(1), utf8(KEYS.poolId));
  const plain = await webCryptography.open(KEYS.signalingKey, envelope.slice(1, 13), aad, envelope.slice(13));
  if (plain === undefined) throw new Error('the test cannot open its own envelope');
  const [payload, signature] = decode<[Uint8Array, Uint8Array]>(plain);
  return { payload: decode<object>(payload), signature };
}

describe('an envelope', () => {
  it.each<SignalBody>([
    { kind: 'announce' },
    OFFER,
    { kind: 'answer', sdp: 'v=0' },
    {
      kind: 'candidate',
      candidate: { candidate: 'candidate:1 1 udp 1 a.local 9 typ host', sdpMid: '0', sdpMLineIndex: 0 },
    },
    { kind: 'candidate', candidate: { candidate: '', sdpMid: null, sdpMLineIndex: null } },
    { kind: 'bye' },
  ])('brings a $kind to whom it is for', async (body) => {
    const opened = await openEnvelope(await sealed(letter(body)), KEYS, webCryptography);
    expect(opened).toEqual({ ...letter(body), from: alice.deviceId });
  });

  it('may be for everyone only when it is an announce', async () => {
    const announce: Letter = { ...letter({ kind: 'announce' }), toSession: null };
    expect((await openEnvelope(await sealed(announce), KEYS, webCryptography)).toSession).toBeNull();
    await expect(sealed({ ...letter(), toSession: null })).rejects.toThrow('without an addressee');
    const { payload } = await payloadOf(await sealed(letter()));
    const bytes = encode({ ...payload, toSession: null });
    const signature = await alice.sign(concatBytes(utf8('palm/v1/envelope-signature'), bytes));
    await expectRefusal(await sealedPlain([bytes, signature]));
  });

  it('holds the longest SDP, and refuses to seal a longer one', async () => {
    const longest: SignalBody = { kind: 'offer', sdp: 'x'.repeat(MAX_SDP_BYTES) };
    expect((await sealed(letter(longest))).length).toBeLessThanOrEqual(MAX_ENVELOPE_BYTES);
    await expect(sealed(letter({ kind: 'offer', sdp: `${longest.sdp}x` }))).rejects.toThrow('cannot be sent');
  });

  it('reveals nothing of its content', async () => {
    const text = Buffer.from(await sealed(letter())).toString('latin1');
    expect(text).not.toContain('fingerprint');
    expect(text.includes(Buffer.from(alice.publicKey).toString('latin1'))).toBe(false);
  });
});

describe('a changed envelope is refused', () => {
  it('with any one bit flipped', async () => {
    const envelope = await sealed(letter());
    await fc.assert(
      fc.asyncProperty(fc.nat(envelope.length * 8 - 1), async (bit) => {
        const bent = Uint8Array.from(envelope);
        bent[bit >> 3] = (bent[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        await expectRefusal(bent);
      }),
    );
  });

  it('cut short anywhere, or with bytes appended', async () => {
    const envelope = await sealed(letter());
    for (let length = 0; length < envelope.length; length += 7)
      await expectRefusal(envelope.slice(0, length));
    await expectRefusal(concatBytes(envelope, Uint8Array.of(0)));
    await expectRefusal(new Uint8Array(MAX_ENVELOPE_BYTES + 1).fill(1));
  });

  it('sealed under another pool key, or for another pool', async () => {
    await expectRefusal(await sealed(letter(), { ...KEYS, signalingKey: new Uint8Array(32) }));
    await expectRefusal(await sealed(letter(), { ...KEYS, poolId: parsePoolId('cd'.repeat(16)) }));
  });
});

describe('a member of the pool cannot', () => {
  it('put another SDP into a device’s envelope', async () => {
    const { payload, signature } = await payloadOf(await sealed(letter()));
    await expectRefusal(
      await sealedPlain([encode({ ...payload, body: { kind: 'offer', sdp: 'mine' } }), signature]),
    );
  });

  it('write under another device’s name', async () => {
    const { payload } = await payloadOf(await sealed(letter()));
    const bytes = encode(payload);
    const signature = await mallory.sign(concatBytes(utf8('palm/v1/envelope-signature'), bytes));
    await expectRefusal(await sealedPlain([bytes, signature]));
  });

  it('reuse a signature that a device made for something else', async () => {
    const { payload } = await payloadOf(await sealed(letter()));
    const bytes = encode(payload);
    await expectRefusal(await sealedPlain([bytes, await alice.sign(bytes)]));
  });

  it.each<[string, object]>([
    ['an unknown field', { more: 1 }],
    ['a session of 15 bytes', { fromSession: new Uint8Array(15) }],
    ['a negative number', { seq: -1 }],
    ['a body of unknown kind', { body: { kind: 'hello' } }],
    ['an SDP that is no text', { body: { kind: 'offer', sdp: 5 } }],
    ['an SDP too long', { body: { kind: 'offer', sdp: 'x'.repeat(MAX_SDP_BYTES + 1) } }],
    ['a candidate of another shape', { body: { kind: 'candidate', candidate: 'x' } }],
    ['another version', { v: 2 }],
  ])('sign %s', async (_name, change) => {
    const { payload } = await payloadOf(await sealed(letter()));
    const bytes = encode({ ...payload, ...change });
    const signature = await alice.sign(concatBytes(utf8('palm/v1/envelope-signature'), bytes));
    await expectRefusal(await sealedPlain([bytes, signature]));
  });
});

describe('the replay guard', () => {
  it('accepts each letter of a session once, in any order within its window', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(500), { maxLength: 200 }), (seqs) => {
        const guard = new ReplayGuard();
        const accepted = seqs.filter((seq) => guard.accept({ from: alice.deviceId, fromSession: HERE, seq }));
        expect(accepted).toEqual([...new Set(seqs)]);
      }),
    );
  });

  it('refuses letters far behind, even after it has forgotten their numbers', () => {
    const guard = new ReplayGuard();
    const accept = (seq: number): boolean => guard.accept({ from: alice.deviceId, fromSession: HERE, seq });
    for (let seq = 0; seq < 5_000; seq += 1) expect(accept(seq)).toBe(true);
    for (let seq = 0; seq < 5_000; seq += 1) expect(accept(seq)).toBe(false);
  });

  it('tells devices and sessions apart', () => {
    const guard = new ReplayGuard();
    const seen = { from: alice.deviceId, fromSession: HERE, seq: 1 };
    expect(guard.accept(seen)).toBe(true);
    expect(guard.accept({ ...seen, fromSession: THERE })).toBe(true);
    expect(guard.accept({ ...seen, from: mallory.deviceId })).toBe(true);
    expect(guard.accept(seen)).toBe(false);
  });

  it('agrees with a list of all numbers within its window, however the numbers jump', () => {
    const steps = fc.array(
      fc.oneof(
        fc.integer({ min: -1_500, max: 1_500 }),
        fc.constantFrom(31, 32, 33, 1_023, 1_024, 1_056, 2_000_000),
      ),
      { maxLength: 200 },
    );
    fc.assert(
      fc.property(steps, (deltas) => {
        const guard = new ReplayGuard();
        const seen = new Set<number>();
        let seq = 10_000_000_000;
        let newest = 0;
        for (const delta of deltas) {
          seq = Math.max(0, seq + delta);
          const isNew = !seen.has(seq) && (seen.size === 0 || seq > newest - 1_024);
          expect(guard.accept({ from: alice.deviceId, fromSession: HERE, seq })).toBe(isNew);
          if (isNew) newest = Math.max(newest, seq);
          if (isNew) seen.add(seq);
        }
      }),
    );
  });

  it('lets a device that makes up sessions displace only its own', () => {
    const guard = new ReplayGuard();
    const honest = { from: alice.deviceId, fromSession: HERE, seq: 1 };
    expect(guard.accept(honest)).toBe(true);
    for (let index = 0; index < 2_000; index += 1) {
      const random = new Uint8Array(SESSION_RANDOM_BYTES).with(0, index >> 8).with(1, index & 255);
      const fromSession = newSessionId(5_000, random);
      expect(guard.accept({ from: mallory.deviceId, fromSession, seq: 1 })).toBe(true);
    }
    expect(guard.accept(honest)).toBe(false);
  });
});

it('a later session of a device compares greater than an earlier one', () => {
  fc.assert(
    fc.property(fc.nat(2 ** 40), fc.integer({ min: 1, max: 2 ** 40 }), (openedMs, laterMs) => {
      const earlier = newSessionId(openedMs, new Uint8Array(SESSION_RANDOM_BYTES).fill(255));
      const later = newSessionId(openedMs + laterMs, new Uint8Array(SESSION_RANDOM_BYTES));
      expect(later > earlier).toBe(true);
    }),
  );
});
