// Log entries: golden bytes, round trips, and refusals. Signatures are tested in check-entry.test.ts.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeSigned } from '../../../../src/core/encoding/signed-record.ts';
import {
  decodeEntry,
  encodeEntryPayload,
  signedBytesOf,
  type EntryBody,
  type EntryPayload,
} from '../../../../src/core/catalogue/entry.ts';
import {
  compareTimes,
  MAX_HYBRID_COUNT,
  MAX_HYBRID_MS,
  dateOf,
  tickAfter,
} from '../../../../src/core/catalogue/clock.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { entryIdOf, parseEntryId, parseFileId, parsePoolId } from '../../../../src/core/model/ids.ts';
import {
  MAX_DEVICE_NAME_BYTES,
  MAX_KIND_BYTES,
  MAX_LOG_LENGTH,
  MAX_RECORD_BYTES,
} from '../../../../src/core/model/limits.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import vectors from '../../../vectors/entry.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import {
  deviceAt,
  expectOnly,
  expectThrows,
  encodeWithFalseCid,
  FALSE_CID,
  fileIdAt,
  mutationsOf,
  POOL_KEYS,
} from '../../../fixtures/pool-fixture.ts';
import { identityFrom } from '../../../fixtures/seeded-identity.ts';

const ENTRY_ID = entryIdOf(seededBytes(10, 1));
const SIGNATURE = seededBytes(64, 2);

describe('golden vectors', () => {
  it('are of the device that the seed gives', () => {
    const identity = identityFrom(bytesOfHex(vectors.deviceSeed));
    expect({ publicKey: hexOf(identity.publicKey), deviceId: identity.deviceId }).toEqual({
      publicKey: vectors.publicKey,
      deviceId: vectors.deviceId,
    });
  });

  it.each(vectors.entries)('entry $seq', async (vector) => {
    const payload = encodeEntryPayload({
      pool: parsePoolId(vectors.poolId),
      publicKey: bytesOfHex(vectors.publicKey),
      seq: vector.seq,
      prev: vector.prev === null ? undefined : parseEntryId(vector.prev),
      at: vector.at,
      body: bodyOf(vector.body),
    });
    expect(hexOf(payload)).toBe(vector.payload);
    const signature = await identityFrom(bytesOfHex(vectors.deviceSeed)).sign(signedBytesOf(payload));
    expect(hexOf(signature)).toBe(vector.signature);
    expect(hexOf(encodeSigned(payload, signature))).toBe(vector.record);

    const entry = decodeEntry(bytesOfHex(vector.record));
    expect(entry).toMatchObject({
      entryId: vector.entryId,
      deviceId: vectors.deviceId,
      pool: vectors.poolId,
      seq: vector.seq,
      at: vector.at,
      body: bodyOf(vector.body),
    });
    expect(entry.prev ?? null).toBe(vector.prev);
    expect(hexOf(entry.bytes)).toBe(vector.record);
  });
});

describe('an entry', () => {
  it('comes back as it was', () => {
    const name = fc.string({ unit: 'grapheme', maxLength: 8 });
    const body: fc.Arbitrary<EntryBody> = fc.oneof(
      fc.record({ kind: fc.constant('profile'), name }),
      fc.record({ kind: fc.constant('pool'), name }),
      fc.record({ kind: fc.constant('file'), manifest: fc.uint8Array({ minLength: 1 }) }),
      fc.record({ kind: fc.constant('remove'), file: fc.nat(9).map(fileIdAt) }),
      fc.record({ kind: fc.constant('leave') }),
      fc.record({
        kind: fc.constant('unknown'),
        fields: fc.record({ kind: fc.constantFrom('policy', 'unknown', 'constructor'), more: fc.nat() }),
      }),
    );
    const at = fc.record({
      ms: fc.maxSafeNat().map((ms) => ms % MAX_HYBRID_MS),
      count: fc.nat(MAX_HYBRID_COUNT),
    });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: MAX_LOG_LENGTH }), at, body, (seq, time, said) => {
        const written: EntryPayload = {
          pool: POOL_KEYS.poolId,
          publicKey: deviceAt(0).publicKey,
          seq,
          prev: seq === 1 ? undefined : ENTRY_ID,
          at: time,
          body: said,
        };
        const payload = encodeEntryPayload(written);
        expect(decodeEntry(encodeSigned(payload, SIGNATURE))).toEqual({
          ...written,
          deviceId: deviceAt(0).deviceId,
          entryId: entryIdOf(payload),
          payload,
          signature: SIGNATURE,
          bytes: encodeSigned(payload, SIGNATURE),
        });
      }),
    );
  });

  it('has an id that does not depend on its signature', () => {
    const payload = encodeEntryPayload(payloadOf({ kind: 'leave' }));
    const ids = [1, 2].map((seed) => decodeEntry(encodeSigned(payload, seededBytes(64, seed))).entryId);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('refused is', () => {
  const fields = {
    v: 1,
    pool: POOL_KEYS.poolId,
    key: deviceAt(0).publicKey,
    seq: 1,
    prev: null,
    at: [1, 0],
    body: { kind: 'leave' },
  };

  it.each<[string, Record<string, unknown>]>([
    ['another version', { v: 2 }],
    ['an extra key', { more: 1 }],
    ['a missing key', { at: undefined }],
    ['a pool id of capitals', { pool: POOL_KEYS.poolId.toUpperCase() }],
    ['a short public key', { key: new Uint8Array(31) }],
    ['number 0', { seq: 0 }],
    ['a number beyond the longest log', { seq: MAX_LOG_LENGTH + 1 }],
    ['a second entry without the first', { seq: 2 }],
    ['a previous entry in text', { seq: 2, prev: ENTRY_ID }],
    ['a time beyond the end', { at: [MAX_HYBRID_MS + 1, 0] }],
    ['a counter beyond its end', { at: [1, MAX_HYBRID_COUNT + 1] }],
    ['a time of three parts', { at: [1, 0, 0] }],
    ['a body without a kind', { body: { name: 'x' } }],
    ['a kind that is no text', { body: { kind: 7 } }],
    ['too long a kind', { body: { kind: 'x'.repeat(MAX_KIND_BYTES + 1) } }],
    ['an extra key in a body of a known kind', { body: { kind: 'leave', why: '' } }],
    ['a body that is no map', { body: ['leave'] }],
    ['too long a name', { body: { kind: 'profile', name: 'x'.repeat(MAX_DEVICE_NAME_BYTES + 1) } }],
    ['an empty manifest', { body: { kind: 'file', manifest: new Uint8Array(0) } }],
    ['a removed file in text', { body: { kind: 'remove', file: fileIdAt(0) } }],
  ])('%s', (_, change) => {
    const known = Object.entries({ ...fields, ...change }).filter(([, value]) => value !== undefined);
    const payload = encodeCbor(Object.fromEntries(known));
    expectThrows('bad-message', () => decodeEntry(encodeSigned(payload, SIGNATURE)));
  });

  it('a map that poses as an id', () => {
    for (const change of [{ seq: 2, prev: FALSE_CID }, { body: { kind: 'remove', file: FALSE_CID } }]) {
      const payload = encodeWithFalseCid({ ...fields, ...change });
      expectThrows('bad-message', () => decodeEntry(encodeSigned(payload, SIGNATURE)));
    }
  });

  it('a short signature, a third part, and a record beyond the limit', () => {
    const payload = encodeCbor(fields);
    expectThrows('bad-message', () => decodeEntry(encodeSigned(payload, SIGNATURE.subarray(1))));
    expectThrows('bad-message', () => decodeEntry(encodeCbor([payload, SIGNATURE, 0])));
    const large = encodeCbor({
      ...fields,
      body: { kind: 'file', manifest: new Uint8Array(MAX_RECORD_BYTES) },
    });
    expectThrows('bad-message', () => decodeEntry(encodeSigned(large, SIGNATURE)));
  });

  it('any garbage, with nothing worse happening', () => {
    const records = vectors.entries.map(({ record }) => bytesOfHex(record));
    const mutated = fc.oneof(...records.map(mutationsOf));
    const resigned = fc
      .oneof(...vectors.entries.map(({ payload }) => mutationsOf(bytesOfHex(payload))))
      .map((payload) => encodeSigned(payload, SIGNATURE));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 80 }), mutated, resigned), (bytes) =>
        expectOnly('bad-message', () => decodeEntry(bytes)),
      ),
      { numRuns: 1_500 },
    );
  });
});

describe('hybrid time', () => {
  it.each([
    [-1, 0],
    [NaN, 0],
    [1.9, 1],
    [MAX_HYBRID_MS + 1, MAX_HYBRID_MS],
    [Infinity, MAX_HYBRID_MS],
  ])('has the date %d as %d', (ms, date) => {
    expect(dateOf(ms)).toBe(date);
  });

  it('always moves on, and never beyond what a decoder accepts', () => {
    const time = fc.record({
      ms: fc.oneof(fc.constant(MAX_HYBRID_MS), fc.nat(), fc.constant(0)),
      count: fc.oneof(fc.constant(MAX_HYBRID_COUNT), fc.nat()),
    });
    fc.assert(
      fc.property(time, fc.double({ noNaN: true }), (last, nowMs) => {
        const next = tickAfter(last, nowMs);
        expect(next.ms).toBeLessThanOrEqual(MAX_HYBRID_MS);
        expect(next.count).toBeLessThanOrEqual(MAX_HYBRID_COUNT);
        expect(next.ms).toBeGreaterThanOrEqual(Math.min(nowMs, MAX_HYBRID_MS) - 1);
        const isEnd = last.ms === MAX_HYBRID_MS && last.count === MAX_HYBRID_COUNT;
        expect(compareTimes(next, last) > 0).toBe(!isEnd);
      }),
    );
  });
});

function payloadOf(body: EntryBody): EntryPayload {
  const { publicKey } = deviceAt(0);
  return { pool: POOL_KEYS.poolId, publicKey, seq: 1, prev: undefined, at: { ms: 1, count: 0 }, body };
}

/** A body as the vectors have it: ids as text, bytes as hex. */
function bodyOf(body: (typeof vectors.entries)[number]['body']): EntryBody {
  const { kind, name = '', file = '', manifest = '' } = body;
  switch (kind) {
    case 'profile':
    case 'pool':
      return { kind, name };
    case 'file':
      return { kind, manifest: bytesOfHex(manifest) };
    case 'remove':
      return { kind, file: parseFileId(file) };
    case 'leave':
      return { kind };
    default:
      return { kind: 'unknown', fields: body };
  }
}
