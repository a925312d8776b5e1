// The codes of pairing: golden text, round trips from real session descriptions, the bound of a QR code, and
// a refusal in words for whatever is cut, mistyped, of another version, or not the code that is wanted.

import encodeQR from 'qr';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import type { Failure } from '../../../../src/core/model/failures.ts';
import { parsePoolId } from '../../../../src/core/model/ids.ts';
import {
  encodePairCode,
  pairCodeDigest,
  poolTag,
  readPairCode,
  type PairCode,
} from '../../../../src/core/pairing/pair-code.ts';
import { checkAnswer, checkOffer } from '../../../../src/core/pairing/pair-rules.ts';
import { endOfSdp, sdpOf, type PairKind } from '../../../../src/core/pairing/pair-sdp.ts';
import { errorText } from '../../../../src/ui/text/en/failures.ts';
import vectors from '../../../vectors/pair-code.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';

/** As Chromium 156 writes it, with one name and one address. */
const CHROMIUM_SDP = [
  'v=0',
  'o=- 4611731400430051336 2 IN IP4 127.0.0.1',
  's=-',
  't=0 0',
  'a=group:BUNDLE 0',
  'a=extmap-allow-mixed',
  'a=msid-semantic: WMS',
  'm=application 54321 UDP/DTLS/SCTP webrtc-datachannel',
  'c=IN IP4 192.168.1.7',
  'a=candidate:3022224816 1 udp 2122260223 192.168.1.7 54321 typ host generation 0 network-id 1',
  'a=candidate:233762139 1 udp 2122194687 5A0C1B2D-0000-4abc-8def-001122334455.local 40001 typ host generation 0',
  'a=candidate:1876313031 1 tcp 1518280447 192.168.1.7 9 typ host tcptype active generation 0',
  'a=candidate:842163049 1 udp 1686052607 203.0.113.9 54321 typ srflx raddr 192.168.1.7 rport 54321',
  'a=ice-ufrag:xY9/',
  'a=ice-pwd:9cV0/Kq2mXrT+lBw5uYzHdEn',
  'a=ice-options:trickle',
  `a=fingerprint:sha-256 ${'AB:'.repeat(31)}CD`,
  'a=setup:actpass',
  'a=mid:0',
  'a=sctp-port:5000',
  'a=max-message-size:262144',
  '',
].join('\r\n');

const POOL = parsePoolId('00112233445566778899aabbccddeeff');
const OTHER_POOL = parsePoolId('ff112233445566778899aabbccddeeff');

const iceText = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...Array.from('ABCyz019+/')), minLength, maxLength });
const address = fc.record({
  host: fc.oneof(
    fc.ipV4(),
    fc.uuid().map((uuid) => `${uuid}.local`),
    fc.constantFrom('fe80:0000:0000:0000:0000:0000:0000:0001', 'fd00:0001:0002:0003:0004:0005:0006:0007'),
  ),
  port: fc.integer({ min: 1, max: 65_535 }),
});
const bytes = (length: number): fc.Arbitrary<Uint8Array> =>
  fc.uint8Array({ minLength: length, maxLength: length });
const pairCode = fc
  .record({
    kind: fc.constantFrom<PairKind[]>('offer', 'answer'),
    pool: bytes(8),
    digest: bytes(8),
    fingerprint: bytes(32),
    ufrag: iceText(4, 32),
    password: iceText(22, 48),
    addresses: fc.array(address, { maxLength: 3 }),
  })
  .map(({ digest, ...code }): PairCode => ({ ...code, offer: code.kind === 'answer' ? digest : undefined }));

function codeWith(change: Partial<PairCode>): PairCode {
  const end = endOfSdp(CHROMIUM_SDP);
  const code: PairCode = { ...end, kind: 'offer', pool: poolTag(POOL, end.fingerprint), offer: undefined };
  return { ...code, ...change };
}

/** The code of another device, whose certificate is `seed`'s. */
function codeOf(seed: number, pool: typeof POOL | undefined, answered?: PairCode): PairCode {
  const fingerprint = seededBytes(32, seed);
  const offer = answered && pairCodeDigest(answered);
  return codeWith({
    fingerprint,
    pool: poolTag(pool, fingerprint),
    offer,
    kind: offer === undefined ? 'offer' : 'answer',
  });
}

function failureOf(attempt: () => unknown): Failure | undefined {
  try {
    attempt();
    return undefined;
  } catch (error) {
    if (!isPalmError(error)) throw error;
    // Every refusal has its sentence.
    expect(errorText(error.failure)).toMatch(/\.$/u);
    return error.failure;
  }
}

describe('golden vectors', () => {
  it.each(vectors.codes)('$kind $text', ({ poolId, offer, digest, text, ...code }) => {
    const kind = code.kind === 'offer' ? 'offer' : 'answer';
    const fingerprint = bytesOfHex(code.fingerprint);
    const pool = poolTag(poolId === null ? undefined : parsePoolId(poolId), fingerprint);
    const made = {
      ...code,
      kind,
      fingerprint,
      pool,
      offer: offer === null ? undefined : bytesOfHex(offer),
    } as const;
    expect(encodePairCode(made)).toBe(text);
    expect(readPairCode(text, kind)).toEqual(made);
    expect(hexOf(pairCodeDigest(made))).toBe(digest);
  });
});

describe('a session description', () => {
  it('gives what another device needs, and nothing of other protocols or networks', () => {
    expect(endOfSdp(CHROMIUM_SDP)).toEqual({
      ufrag: 'xY9/',
      password: '9cV0/Kq2mXrT+lBw5uYzHdEn',
      fingerprint: bytesOfHex(`${'ab'.repeat(31)}cd`),
      addresses: [
        { host: '192.168.1.7', port: 54_321 },
        { host: '5a0c1b2d-0000-4abc-8def-001122334455.local', port: 40_001 },
      ],
    });
  });

  it('is written anew with the same keys and addresses, and with the scanner as DTLS server', () => {
    const end = endOfSdp(CHROMIUM_SDP);
    for (const kind of ['offer', 'answer'] as const) expect(endOfSdp(sdpOf(end, kind))).toEqual(end);
    expect(sdpOf(end, 'offer')).toContain('\r\na=setup:active\r\n');
    expect(sdpOf(end, 'answer')).toContain('\r\na=setup:passive\r\n');
  });

  it('expands an IPv6 address, and leaves out what is none', () => {
    const hosts = [
      'fe80::1',
      '1::',
      '::',
      '1:2:3:4:5:6:7:8',
      '1::2::3',
      '1:2:3:4:5:6:7',
      '1.2.3.256',
      'a.local',
    ];
    const lines = hosts.map((host) => `a=candidate:1 1 UDP 1 ${host} 7 typ host`);
    const { addresses } = endOfSdp(
      [CHROMIUM_SDP.replaceAll(/a=candidate.*\r\n/gu, ''), ...lines].join('\r\n'),
    );
    const code = readPairCode(encodePairCode(codeWith({ addresses })), 'offer');
    expect(code.addresses.map(({ host }) => host)).toEqual([
      'fe80:0000:0000:0000:0000:0000:0000:0001',
      '0001:0000:0000:0000:0000:0000:0000:0000',
      '0000:0000:0000:0000:0000:0000:0000:0000',
      '0001:0002:0003:0004:0005:0006:0007:0008',
    ]);
  });
});

describe('a code', () => {
  it('comes back as it was, whatever text and case it is in', () => {
    fc.assert(
      fc.property(pairCode, (code) => {
        const text = encodePairCode(code);
        expect(readPairCode(text, code.kind)).toEqual(code);
        const mailed = `Hello,\n> ${text.toLowerCase().replaceAll(/(.{20})/gu, '$1\n> ')}\n`;
        expect(readPairCode(mailed, code.kind)).toEqual(code);
      }),
    );
  });

  it('fits a QR code of version 10 with every address that fits it', () => {
    const addresses = Array.from({ length: 12 }, (_, index) => ({
      host: `5a0c1b2d-0000-4abc-8def-0011223344${String(index).padStart(2, '0')}.local`,
      port: 40_000,
    }));
    const text = encodePairCode(codeWith({ addresses, kind: 'answer', offer: new Uint8Array(8) }));
    expect(readPairCode(text, 'answer').addresses).toEqual(addresses.slice(0, 5));
    const rows = encodeQR(text, 'raw', { ecc: 'medium', encoding: 'alphanumeric', border: 1 });
    // ISO/IEC 18004: version v has 17 + 4v modules a side, and here a border of one.
    expect(rows.length).toBeLessThanOrEqual(59);
  });

  it('is refused when it is cut, and says how much is missing', () => {
    const text = encodePairCode(codeWith({}));
    for (let length = 'PALM:'.length; length < text.length; length++) {
      const charCount = length < 'PALM:'.length + 8 ? undefined : text.length - length;
      expect(failureOf(() => readPairCode(text.slice(0, length), 'offer'))).toEqual({
        code: 'bad-pair-code',
        reason: 'missing',
        charCount,
      });
    }
  });

  it('is refused when any of its letters is another', () => {
    fc.assert(
      fc.property(
        pairCode,
        fc.nat(),
        fc.constantFrom(...Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567')),
        (code, nth, letter) => {
          const text = encodePairCode(code);
          const at = 'PALM:'.length + (nth % (text.length - 'PALM:'.length));
          fc.pre(text[at] !== letter);
          const changed = text.slice(0, at) + letter + text.slice(at + 1);
          expect(failureOf(() => readPairCode(changed, code.kind))?.code).toBe('bad-pair-code');
        },
      ),
    );
  });

  it('is refused with its typed reason, whatever text it is', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.base64String(), (text, letters) => {
        expect(failureOf(() => readPairCode(text, 'offer'))?.code).toBe('bad-pair-code');
        expect(failureOf(() => readPairCode(`PALM:${letters}`, 'answer'))?.code).toBe('bad-pair-code');
      }),
    );
  });

  it('is refused as that of a newer version, a link, or the other of the two codes', () => {
    const reason = (text: string, kind: PairKind) => {
      const failure = failureOf(() => readPairCode(text, kind));
      return failure !== undefined && 'reason' in failure ? failure.reason : undefined;
    };
    const offer = encodePairCode(codeWith({}));
    // The first byte is 1, and its five leading bits are the first letter.
    expect(reason(offer.replace('PALM:A', 'PALM:B'), 'offer')).toBe('newer-version');
    expect(reason('https://palm-1f2e.local:8443/#/join/uAQAA', 'offer')).toBe('is-link');
    expect(reason(offer, 'answer')).toBe('is-offer');
    expect(reason(encodePairCode(codeOf(1, POOL, codeWith({}))), 'offer')).toBe('is-answer');
    expect(reason(`${offer.slice(0, 40)} ${offer}`, 'offer')).toBeUndefined();
  });
});

describe('whether this device can go on with a code', () => {
  const own = codeWith({});
  const reasonOf = (check: () => void): string => {
    const failure = failureOf(check);
    return failure === undefined ? 'fits' : 'reason' in failure ? failure.reason : '';
  };

  it('takes the offer of a device that is in no pool, of its own pool, or, being in none, of any', () => {
    expect(reasonOf(() => checkOffer(codeOf(1, undefined), POOL, own))).toBe('fits');
    expect(reasonOf(() => checkOffer(codeOf(1, POOL), POOL, undefined))).toBe('fits');
    expect(reasonOf(() => checkOffer(codeOf(1, POOL), undefined, own))).toBe('fits');
    expect(reasonOf(() => checkOffer(codeOf(1, OTHER_POOL), POOL, undefined))).toBe('other-pool');
    expect(reasonOf(() => checkOffer(codeOf(1, undefined), undefined, undefined))).toBe('no-pool');
    expect(reasonOf(() => checkOffer(own, POOL, own))).toBe('own');
  });

  it('takes only an answer to the very code that it shows', () => {
    expect(reasonOf(() => checkAnswer(codeOf(1, undefined, own), POOL, own))).toBe('fits');
    expect(reasonOf(() => checkAnswer(codeOf(1, POOL, own), POOL, own))).toBe('fits');
    expect(reasonOf(() => checkAnswer(codeOf(1, OTHER_POOL, own), POOL, own))).toBe('other-pool');
    expect(reasonOf(() => checkAnswer(codeOf(1, POOL, codeOf(2, POOL)), POOL, own))).toBe('other-offer');
    // The same code but for one address, or for its certificate.
    const moved = codeWith({ addresses: [{ host: '192.168.1.8', port: 54_321 }] });
    expect(reasonOf(() => checkAnswer(codeOf(1, POOL, moved), POOL, own))).toBe('other-offer');
    // Once it was answered, this device shows none.
    expect(reasonOf(() => checkAnswer(codeOf(1, POOL, own), POOL, undefined))).toBe('no-offer');
  });

  it('shows nobody which pool a code is of', () => {
    expect(hexOf(codeOf(1, POOL).pool)).not.toBe(hexOf(codeOf(2, POOL).pool));
  });
});
