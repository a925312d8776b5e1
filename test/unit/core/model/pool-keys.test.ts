// Checks ids and everything derived from secrets against golden vectors, and that no two uses share a key.

import fc from 'fast-check';
import { base58btc } from 'multiformats/bases/base58';
import { CID } from 'multiformats/cid';
import { describe, expect, it } from 'vitest';
import {
  contentTagOf,
  deriveFileKey,
  derivePrivateDetailsKey,
} from '../../../../src/core/coding/file-key.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import {
  deviceIdOf,
  entryIdOf,
  fileIdOf,
  fragmentIdOf,
  parseBlockHash,
  parseDeviceId,
  parseEntryId,
  parseFileId,
  parseFragmentId,
  parsePoolId,
} from '../../../../src/core/model/ids.ts';
import { derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import { decodeCbor } from '../../../../src/core/encoding/decode.ts';
import vectors from '../../../vectors/keys.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { encodeWithFalseCid, expectOnly, expectThrows, FALSE_CID } from '../../../fixtures/pool-fixture.ts';

const ID_MAKERS: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  device: deviceIdOf,
  file: fileIdOf,
  fragment: fragmentIdOf,
  entry: entryIdOf,
};

describe('golden vectors', () => {
  it.each(vectors.pools)('pool keys of epoch $epoch', (vector) => {
    const keys = derivePoolKeys(bytesOfHex(vector.secret), vector.epoch);
    expect({
      secret: vector.secret,
      epoch: keys.epoch,
      poolId: keys.poolId,
      signalingKey: hexOf(keys.signalingKey),
      catalogueKey: hexOf(keys.catalogueKey),
      contentTagKey: hexOf(keys.contentTagKey),
    }).toEqual(vector);
  });

  it.each(vectors.files)('file keys', ({ linkKey, sharedKey, salt, fileKey, privateDetailsKey }) => {
    const [link, shared, salted] = [linkKey, sharedKey, salt].map(bytesOfHex);
    if (link === undefined || shared === undefined || salted === undefined)
      throw new Error('expected three values');
    expect(hexOf(deriveFileKey(link, shared, salted))).toBe(fileKey);
    expect(hexOf(derivePrivateDetailsKey(link, salted))).toBe(privateDetailsKey);
  });

  it.each(vectors.contentTags)('content tag', ({ contentTagKey, segmentHashes, contentTag }) => {
    expect(hexOf(contentTagOf(bytesOfHex(contentTagKey), segmentHashes.map(bytesOfHex)))).toBe(contentTag);
  });

  it.each(vectors.ids)('id of a $kind', ({ kind, of, id }) => {
    expect(ID_MAKERS[kind]?.(bytesOfHex(of))).toBe(id);
  });
});

describe('an id', () => {
  const parsers = [parseDeviceId, parseFileId, parseFragmentId, parseEntryId, parsePoolId, parseBlockHash];

  it('is read from its text and from nothing else', () => {
    for (const { kind, id } of vectors.ids) {
      const isRaw = kind === 'device' || kind === 'file';
      for (const parse of isRaw ? [parseDeviceId, parseFileId] : [parseFragmentId, parseEntryId])
        expect(parse(id)).toBe(id);
      for (const parse of isRaw ? [parseFragmentId, parseEntryId] : [parseDeviceId, parseFileId])
        expectThrows('bad-message', () => parse(id));
      // The same CID, but not in its one form: another base, capitals, white space, cut, too long.
      const other = CID.parse(id).toString(base58btc);
      for (const text of [other, id.toUpperCase(), ` ${id}`, id.slice(0, -1), `${id}a`, id.repeat(9), ''])
        for (const parse of parsers) expectThrows('bad-message', () => parse(text));
    }
  });

  it('from any value is either valid or refused', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        for (const parse of parsers) expectOnly('bad-message', () => parse(value));
      }),
    );
    // A map from a peer that multiformats takes for a CID.
    const map: unknown = decodeCbor(encodeWithFalseCid(FALSE_CID), 1_000);
    for (const parse of parsers) expectThrows('bad-message', () => parse(map));
  });
});

describe('pool keys', () => {
  it('differ from each other, from another epoch’s and from another secret’s', () => {
    const derived = [
      derivePoolKeys(seededBytes(32, 1), 0),
      derivePoolKeys(seededBytes(32, 1), 1),
      derivePoolKeys(seededBytes(32, 1), 10),
      derivePoolKeys(seededBytes(32, 2), 0),
    ].flatMap((keys) => [
      keys.poolId,
      ...[keys.signalingKey, keys.catalogueKey, keys.contentTagKey].map(hexOf),
    ]);
    expect(new Set(derived).size).toBe(16);
    // The pool id is public: it must not be the beginning of a key.
    expect(
      derived.some((key, index) => derived.some((other, at) => at !== index && key.startsWith(other))),
    ).toBe(false);
  });
});

describe('the file key', () => {
  it('changes with each half and with the salt, and the halves cannot be swapped', () => {
    const [a, b, salt] = [seededBytes(32, 1), seededBytes(32, 2), seededBytes(32, 3)];
    const keys = [
      deriveFileKey(a, b, salt),
      deriveFileKey(b, a, salt),
      deriveFileKey(a, a, salt),
      deriveFileKey(b, b, salt),
      deriveFileKey(a, b, a),
      derivePrivateDetailsKey(a, salt),
    ];
    expect(new Set(keys.map(hexOf)).size).toBe(keys.length);
  });
});
