// Link messages: golden bytes of each kind, round trips, and that any bad bytes are refused and do nothing
// else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, hexOf } from '../../../../src/core/model/bytes.ts';
import { cidOf, entryIdOf, parseBlockHash, parseJobId } from '../../../../src/core/model/ids.ts';
import {
  MAX_DEVICE_COUNT,
  MAX_LOG_LENGTH,
  MAX_LOG_MARKS,
  MAX_MESSAGE_BYTES,
} from '../../../../src/core/model/limits.ts';
import { packFragments, unpackFragments } from '../../../../src/core/placement/fragment-set.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import {
  decodeMessage,
  encodeMessage,
  FAILURES,
  hasPayload,
  MAX_HOLDINGS_PER_MESSAGE,
  REFUSALS,
  type Message,
} from '../../../../src/core/wire/messages.ts';
import { decodeAlive } from '../../../../src/core/membership/alive-record.ts';
import { MEMBER_STATES } from '../../../../src/core/membership/member-state.ts';
import aliveVectors from '../../../vectors/alive.json' with { type: 'json' };
import vectors from '../../../vectors/messages.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import {
  deviceAt,
  encodeWithFalseCid,
  expectOnly,
  expectThrows,
  FALSE_CID,
  fileIdAt,
  mutationsOf,
} from '../../../fixtures/pool-fixture.ts';

describe('golden vectors', () => {
  it.each(vectors.cases)('$message.kind $message.reason', ({ message, payload, bytes }) => {
    const decoded = decodeMessage(bytesOfHex(bytes));
    expect(plainOf(withSets(decoded.message))).toEqual(message);
    expect(hexOf(decoded.payload)).toBe(payload);
    const carries = hasPayload(decoded.message.kind);
    const parts = encodeMessage(decoded.message, carries ? bytesOfHex(payload) : undefined);
    expect(hexOf(concatBytes(...parts))).toBe(bytes);
  });

  it('have each kind of message and each reason', () => {
    expect(new Set(vectors.cases.map(({ message }) => message.kind))).toEqual(
      new Set(Object.keys(ARBITRARIES)),
    );
    const reasons = vectors.cases.flatMap(({ message }) => message.reason ?? []);
    expect(new Set(reasons)).toEqual(new Set([...FAILURES, ...REFUSALS]));
  });
});

describe('a message', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(fc.oneof(...Object.values(ARBITRARIES)), fc.uint8Array(), (message, bytes) => {
        const payload = hasPayload(message.kind) ? new Uint8Array(bytes) : undefined;
        const decoded = decodeMessage(concatBytes(...encodeMessage(message, payload)));
        expect(decoded.message).toEqual(message);
        expect(decoded.payload).toEqual(payload ?? new Uint8Array(0));
      }),
      { numRuns: 500 },
    );
  });

  it('does not copy its payload', () => {
    const payload = seededBytes(100, 1);
    expect(encodeMessage({ kind: 'block', id: 1 }, payload)[1]).toBe(payload);
  });

  it('is read where it lies: at an offset in a larger buffer', () => {
    const bytes = concatBytes(new Uint8Array(5), ...encodeMessage({ kind: 'cancel', id: 9 }));
    expect(decodeMessage(bytes.subarray(5)).message).toEqual({ kind: 'cancel', id: 9 });
  });

  it('of the most heads, or the most holdings, stays below a decoder’s limit', () => {
    const marks = Array.from({ length: MAX_LOG_MARKS }, () => ({
      seq: MAX_LOG_LENGTH,
      mark: 'f'.repeat(16),
    }));
    const head = { device: deviceAt(0).deviceId, seq: MAX_LOG_LENGTH, digest: 'f'.repeat(16), marks };
    const heads = Array.from({ length: MAX_DEVICE_COUNT }, () => head);
    const fragments = packFragments(Array.from({ length: 255 }, (_, fragment) => fragment));
    const holding = { file: fileIdAt(0), fragments };
    const held = Array.from({ length: MAX_HOLDINGS_PER_MESSAGE }, () => holding);
    for (const message of [
      { kind: 'sync', heads, from: undefined, closed: false },
      { kind: 'holdings', base: 0, held, heldBytes: 0, freeBytes: 0 },
    ] as const) {
      const bytes = concatBytes(...encodeMessage(message));
      expect(decodeMessage(bytes).message.kind).toBe(message.kind);
    }
    const more = { kind: 'sync', heads: [...heads, head], from: undefined, closed: true } as const;
    expectThrows('bad-message', () => decodeMessage(concatBytes(...encodeMessage(more))));
  });
});

describe('refused is', () => {
  const file = { '/': 'x' };

  it.each<[string, unknown]>([
    ['no map', 'hello'],
    ['a list', ['hello', 1, 0]],
    ['no kind', { protocol: 1, epoch: 0 }],
    ['an unknown kind', { kind: 'constructor' }],
    ['a kind that is no text', { kind: 1 }],
    ['an extra key', { kind: 'holdings-wanted', more: 1 }],
    ['an epoch of 17 bits', { kind: 'hello', protocol: 1, epoch: 65_536 }],
    ['sync without from', { kind: 'sync', heads: [], closed: false }],
    ['sync that does not say whether it is closed', { kind: 'sync', heads: [], from: null }],
    ['sync that is closed by a number', { kind: 'sync', heads: [], from: null, closed: 1 }],
    ['a head of two parts', { kind: 'sync', heads: [[1, 2]], from: null, closed: false }],
    [
      'marks that are cut',
      {
        kind: 'sync',
        heads: [[cidOf(deviceAt(0).deviceId), 1, '', new Uint8Array(13)]],
        from: null,
        closed: false,
      },
    ],
    [
      'too many marks',
      {
        kind: 'sync',
        heads: [[cidOf(deviceAt(0).deviceId), 1, '', new Uint8Array(12 * 33)]],
        from: null,
        closed: false,
      },
    ],
    ['a cursor of text', { kind: 'sync', heads: [], from: 'start', closed: false }],
    ['more entries than a message may have', entriesOf(Array.from({ length: 65 }, () => Uint8Array.of(1)))],
    ['an empty entry', entriesOf([new Uint8Array(0)])],
    ['an entry beyond the limit', entriesOf([new Uint8Array(65_537)])],
    [
      'a held file in text',
      { kind: 'holdings', base: 0, held: [['bafy', new Uint8Array(1)]], heldBytes: 0, freeBytes: 0 },
    ],
    ['free bytes of a half', { kind: 'holdings', base: 0, held: [], heldBytes: 0, freeBytes: 0.5 }],
    ['a negative base', { kind: 'holdings', base: -1, held: [], heldBytes: 0, freeBytes: 0 }],
    ['a file that is a map', { kind: 'get-index', id: 1, file, fragment: 0 }],
    ['a short block hash', { kind: 'get-block', id: 1, hash: new Uint8Array(31) }],
    ['a job of 15 bytes', { kind: 'soon-over', job: new Uint8Array(15) }],
    ['a job in text', { kind: 'soon', job: '0'.repeat(32), blocks: [] }],
    ['more foretold blocks than a message may have', soonOf(65, 32)],
    ['a short foretold hash', soonOf(1, 31)],
    ['a request number of 33 bits', { kind: 'cancel', id: 2 ** 32 }],
    ['a reason that nobody has', { kind: 'failed', id: 1, reason: 'tired' }],
    [
      'a challenge with a salt of 15 bytes',
      { kind: 'challenge', id: 1, salt: new Uint8Array(15), places: [] },
    ],
    [
      'a belief of a state that nobody has',
      { kind: 'probe', beliefs: [[cidOf(deviceAt(0).deviceId), 1, 1, 'lost']] },
    ],
    ['a belief of a device in text', { kind: 'probe', beliefs: [[deviceAt(0).deviceId, 1, 1, 'away']] }],
    [
      'more words than a message may have',
      { kind: 'alive', records: Array.from({ length: 33 }, () => aliveBytes) },
    ],
    ['a word that is none', { kind: 'alive', records: [Uint8Array.of(1)] }],
    ['a proof of 31 bytes', { kind: 'proof', id: 1, digests: [new Uint8Array(31)] }],
    ['a proof in text', { kind: 'proof', id: 1, digests: ['f'.repeat(32)] }],
    ['a digest beyond 64 bytes', { kind: 'pulse', catalogue: 'f'.repeat(65), holdings: 0 }],
  ])('%s', (_, header) => {
    expectThrows('bad-message', () => decodeMessage(withLength(encodeCbor(header))));
  });

  it('fragment 255, in a place and in a set', () => {
    const good = { file: fileIdAt(0), fragment: 254 };
    const bytes = concatBytes(...encodeMessage({ kind: 'place', places: [good] }));
    expect(decodeMessage(bytes).message).toEqual({ kind: 'place', places: [good] });
    const last = bytes.lastIndexOf(254);
    bytes[last] = 255;
    expectThrows('bad-message', () => decodeMessage(bytes));
    const full = { file: fileIdAt(0), fragments: packFragments([255]) };
    const holdings = { kind: 'holdings', base: 0, held: [full], heldBytes: 0, freeBytes: 0 } as const;
    expectThrows('bad-message', () => decodeMessage(concatBytes(...encodeMessage(holdings))));
  });

  it('a map that poses as an id', () => {
    for (const header of [
      { kind: 'get-index', id: 1, file: FALSE_CID, fragment: 0 },
      { kind: 'place', places: [[FALSE_CID, 0]] },
      { kind: 'sync', heads: [[FALSE_CID, 1, 'x', new Uint8Array(0)]], from: null, closed: false },
      { kind: 'sync', heads: [], from: [FALSE_CID, 1, null], closed: false },
    ])
      expectThrows('bad-message', () => decodeMessage(withLength(encodeWithFalseCid(header))));
  });

  it('bytes after a message that carries none, a length beyond the bytes, a header beyond its limit', () => {
    const bytes = concatBytes(...encodeMessage({ kind: 'cancel', id: 1 }));
    expectThrows('bad-message', () => decodeMessage(concatBytes(bytes, Uint8Array.of(0))));
    expectThrows('bad-message', () => decodeMessage(bytes.subarray(0, bytes.length - 1)));
    for (let length = 0; length < 4; length++)
      expectThrows('bad-message', () => decodeMessage(new Uint8Array(length)));
    expectThrows('bad-message', () => decodeMessage(withLength(new Uint8Array(768 * 1024 + 1))));
    expectThrows('bad-message', () => decodeMessage(new Uint8Array(MAX_MESSAGE_BYTES + 1)));
  });

  it('lists within lists, however deep', () => {
    expectThrows('bad-message', () => decodeMessage(withLength(new Uint8Array(700_000).fill(0x81))));
  });

  it('any garbage, with nothing worse happening', () => {
    const mutated = fc.oneof(...vectors.cases.map(({ bytes }) => mutationsOf(bytesOfHex(bytes))));
    const garbage = fc.uint8Array({ maxLength: 60 }).map((bytes) => withLength(bytes));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), garbage, mutated), (bytes) =>
        expectOnly('bad-message', () => decodeMessage(new Uint8Array(bytes))),
      ),
      { numRuns: 3_000 },
    );
  });

  it('any valid CBOR of unknown shape, with nothing worse happening', () => {
    const kind = fc.constantFrom(...Object.keys(ARBITRARIES));
    const value = fc.jsonValue({ maxDepth: 2 });
    const keys = [
      'heads',
      'from',
      'id',
      'file',
      'fragment',
      'held',
      'base',
      'place',
      'places',
      'reason',
      'hash',
      'job',
      'blocks',
      'beliefs',
      'records',
    ];
    const header = fc.record(Object.fromEntries(keys.map((key) => [key, value])), { requiredKeys: [] });
    fc.assert(
      fc.property(kind, header, (name, rest) =>
        expectOnly('bad-message', () => decodeMessage(withLength(encodeCbor({ ...rest, kind: name })))),
      ),
      { numRuns: 1_000 },
    );
  });
});

const aliveBytes = bytesOfHex(aliveVectors.cases[0]?.bytes ?? '');
const uint32 = fc.nat(0xffff_ffff);
const NO_MARKS = new Uint8Array(0);
const device = fc.nat(7).map((index) => deviceAt(index).deviceId);
const file = fc.nat(20).map(fileIdAt);
const place = fc.record({ file, fragment: fc.nat(254) });
const job = fc.uint8Array({ minLength: 16, maxLength: 16 }).map(parseJobId);
const blockHash = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(parseBlockHash);
const seq = fc.nat(MAX_LOG_LENGTH);
const digests = { catalogue: fc.string({ maxLength: 16 }), holdings: fc.maxSafeNat() };

const ARBITRARIES: { readonly [Kind in Message['kind']]: fc.Arbitrary<Message & { kind: Kind }> } = {
  hello: fc.record({ kind: fc.constant('hello'), protocol: fc.nat(0xffff), epoch: fc.nat(0xffff) }),
  features: fc.record({
    kind: fc.constant('features'),
    features: fc.array(fc.string({ maxLength: 8 }), { maxLength: 64 }),
  }),
  'acts-summary': fc.record({
    kind: fc.constant('acts-summary'),
    marks: fc.constantFrom(seededBytes(32, 1), NO_MARKS),
  }),
  acts: fc.record({ kind: fc.constant('acts'), acts: fc.array(fc.constant(seededBytes(9, 2))) }),
  'keys-wanted': fc.record({ kind: fc.constant('keys-wanted') }),
  keys: fc.record({ kind: fc.constant('keys'), sealed: fc.constant(seededBytes(90, 3)) }),
  sync: fc.record({
    kind: fc.constant('sync'),
    closed: fc.boolean(),
    heads: fc.array(
      fc.record({
        device,
        seq,
        digest: fc.string({ maxLength: 16 }),
        marks: fc.array(
          fc.record({
            seq,
            mark: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => hexOf(bytes)),
          }),
          { maxLength: 3 },
        ),
      }),
      { maxLength: 4 },
    ),
    from: fc.option(
      fc.record({
        device,
        seq,
        entry: fc.option(fc.constant(entryIdOf(seededBytes(3, 1))), { nil: undefined }),
      }),
      { nil: undefined },
    ),
  }),
  entries: fc.record({
    kind: fc.constant('entries'),
    entries: fc.array(fc.uint8Array({ minLength: 1 }), { maxLength: 4 }),
    more: fc.boolean(),
  }),
  holdings: fc.record({
    kind: fc.constant('holdings'),
    base: fc.maxSafeNat().map((base) => Math.min(base, Number.MAX_SAFE_INTEGER - 1)),
    held: fc.array(fc.record({ file, fragments: fc.array(fc.nat(254)).map(packFragments) }), {
      maxLength: 4,
    }),
    heldBytes: fc.maxSafeNat(),
    freeBytes: fc.maxSafeNat(),
  }),
  'holdings-wanted': fc.record({ kind: fc.constant('holdings-wanted') }),
  pulse: fc.record({ kind: fc.constant('pulse'), ...digests }),
  'vouch-wanted': fc.record({ kind: fc.constant('vouch-wanted'), ...digests }),
  vouch: fc.record({ kind: fc.constant('vouch'), ...digests }),
  place: fc.record({ kind: fc.constant('place'), places: fc.array(place, { maxLength: 4 }) }),
  release: fc.record({ kind: fc.constant('release'), place }),
  refuse: fc.record({ kind: fc.constant('refuse'), place, reason: fc.constantFrom(...REFUSALS) }),
  soon: fc.record({
    kind: fc.constant('soon'),
    job,
    blocks: fc.array(blockHash, { maxLength: 4 }),
  }),
  'soon-over': fc.record({ kind: fc.constant('soon-over'), job }),
  'get-index': fc.record({ kind: fc.constant('get-index'), id: uint32, file, fragment: fc.nat(254) }),
  'get-block': fc.record({
    kind: fc.constant('get-block'),
    id: uint32,
    hash: blockHash,
  }),
  'get-fragments': fc.record({
    kind: fc.constant('get-fragments'),
    id: uint32,
    places: fc.array(place, { maxLength: 4 }),
  }),
  index: fc.record({ kind: fc.constant('index'), id: uint32 }),
  block: fc.record({ kind: fc.constant('block'), id: uint32 }),
  fragments: fc.record({ kind: fc.constant('fragments'), id: uint32 }),
  failed: fc.record({ kind: fc.constant('failed'), id: uint32, reason: fc.constantFrom(...FAILURES) }),
  cancel: fc.record({ kind: fc.constant('cancel'), id: uint32 }),
  probe: fc.record({
    kind: fc.constant('probe'),
    beliefs: fc.array(
      fc.record({
        device,
        incarnation: fc.maxSafeNat(),
        beat: fc.maxSafeNat(),
        state: fc.constantFrom(...MEMBER_STATES),
      }),
      { maxLength: 32 },
    ),
  }),
  alive: fc.record({
    kind: fc.constant('alive'),
    records: fc.array(
      fc.constantFrom(...aliveVectors.cases.map(({ bytes }) => decodeAlive(bytesOfHex(bytes)))),
      { maxLength: 32 },
    ),
  }),
  goodbye: fc.record({ kind: fc.constant('goodbye') }),
  lane: fc.record({
    kind: fc.constant('lane'),
    origins: fc.array(
      fc.string({ maxLength: 40, unit: 'binary-ascii' }).map((host) => `https://${host}`),
      {
        maxLength: 32,
      },
    ),
    token: fc.uint8Array({ minLength: 32, maxLength: 32 }),
    lifeMs: fc.nat(3_600_000),
  }),
  challenge: fc.record({
    kind: fc.constant('challenge'),
    id: uint32,
    asks: fc.array(
      fc.record({ file, fragment: fc.nat(254), salt: fc.uint8Array({ minLength: 16, maxLength: 16 }) }),
      { maxLength: 64 },
    ),
  }),
  proof: fc.record({
    kind: fc.constant('proof'),
    id: uint32,
    digests: fc.array(fc.option(fc.uint8Array({ minLength: 32, maxLength: 32 }), { nil: undefined }), {
      maxLength: 64,
    }),
  }),
};

function entriesOf(entries: readonly Uint8Array[]): unknown {
  return { kind: 'entries', entries, more: false };
}

function soonOf(blockCount: number, hashBytes: number): unknown {
  const blocks = Array.from({ length: blockCount }, () => new Uint8Array(hashBytes));
  return { kind: 'soon', job: new Uint8Array(16), blocks };
}

function withLength(header: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, header.length);
  return concatBytes(length, header);
}

/** A message as the vectors have it: bytes in hex, sets as sorted lists, absent values as null. */
function plainOf(value: unknown): unknown {
  if (value === undefined) return null;
  if (value instanceof Uint8Array) return hexOf(value);
  if (value instanceof Set) return [...value].toSorted((a, b) => a - b);
  if (Array.isArray(value)) return value.map(plainOf);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plainOf(inner)]));
}

/** Sets of fragments as the vectors have them. */
function withSets(message: Message): unknown {
  if (message.kind !== 'holdings') return message;
  const held = message.held.map((holding) => ({ ...holding, fragments: unpackFragments(holding.fragments) }));
  return { ...message, held };
}
