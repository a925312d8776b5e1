// What the threshold promises, on whole files made by the real parts: a pool member with every pool key and k
// - 1 fragments (index and blocks) learns no plaintext, k fragments without the pool's half key reveal
// nothing, and a private file's manifest tells the pool neither its name nor its key.

import { createDecipheriv } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import {
  openDetails,
  openManifest,
  sealDetails,
  sealManifest,
  type Access,
  type Manifest,
} from '../../../../src/core/catalogue/manifest.ts';
import { deriveFileKey } from '../../../../src/core/coding/file-key.ts';
import {
  decodeFragmentIndex,
  encodeFragmentIndex,
  type FragmentIndex,
} from '../../../../src/core/coding/fragment-index.ts';
import { invert, multiply } from '../../../../src/core/coding/gf256.ts';
import { combineShares, splitSecret, type IndexedShare } from '../../../../src/core/coding/shamir.ts';
import { concatBytes, hexOf, utf8 } from '../../../../src/core/model/bytes.ts';
import { plainBytesOf, segmentBytesOf, segmentCountOf } from '../../../../src/core/model/geometry.ts';
import { fileIdOf, fragmentIdOf } from '../../../../src/core/model/ids.ts';
import { decodeFileLink, encodeFileLink } from '../../../../src/core/model/invite.ts';
import { indicesOf } from '../../../fixtures/erasure-oracle.ts';
import { loadNodeCodec } from '../../../fixtures/node-codec.ts';
import { deviceAt, expectRejects, itemAt, POOL_KEYS } from '../../../fixtures/pool-fixture.ts';

const codec = await loadNodeCodec();

const [K, N] = [4, 8];
const BLOCK_BYTES = 4_096;
const WINDOW_BYTES = 16;
const NAME = 'the-secret-name-of-this-file.txt';

/** Text that repeats, so that any leaked part of it is recognised. */
const PLAIN = utf8('Lorem ipsum dolor sit amet, consectetur adipiscing elit. '.repeat(700)).slice(0, 40_000);

/** One fragment as its holder has it: its index and its block of each segment. */
interface Fragment {
  readonly index: FragmentIndex;
  readonly indexBytes: Uint8Array;
  readonly blocks: readonly Uint8Array[];
}

interface StoredFile {
  readonly sealedManifest: Uint8Array;
  readonly manifest: Manifest;
  readonly fragments: readonly Fragment[];
  /** What only the storer ever had together. */
  readonly secret: { readonly linkKey: Uint8Array<ArrayBuffer>; readonly sharedKey: Uint8Array };
}

/** A file as stored: two half keys, shares, sealed and coded segments, indexes, a sealed manifest. */
async function store(isPrivate: boolean): Promise<StoredFile> {
  const [linkKey, sharedKey, salt] = [randomBytes(32), randomBytes(32), randomBytes(32)];
  const geometry = { size: PLAIN.length, k: K, n: N, blockBytes: BLOCK_BYTES };
  const key = deriveFileKey(linkKey, sharedKey, salt);
  const shares = splitSecret(sharedKey, K, N, randomBytes);
  const segmentCount = segmentCountOf(geometry);
  const rows = await Promise.all(
    indicesOf(segmentCount).map(async (segmentIndex) => {
      const start = segmentIndex * segmentBytesOf(geometry);
      const plain = PLAIN.slice(start, start + plainBytesOf(geometry, segmentIndex));
      const hash = await codec.hash(plain);
      return codec.seal({ key, salt, segmentIndex, segmentCount, k: K, n: N }, plain, hash);
    }),
  );
  const fragments = indicesOf(N).map((fragment) => {
    const blocks = rows.map(({ hashes }) => itemAt(hashes, fragment));
    const index = { fragment, share: itemAt(shares, fragment), blocks };
    return {
      index,
      indexBytes: encodeFragmentIndex(index),
      blocks: rows.map((row) => itemAt(row.blocks, fragment)),
    };
  });
  const details = { name: NAME, path: 'where/it/lies', mime: 'text/plain' };
  const access: Access = isPrivate
    ? { kind: 'private', sealed: await sealDetails(details, linkKey, salt, webCryptography) }
    : { kind: 'pool', details, linkKey, contentTag: randomBytes(32) };
  const manifest: Manifest = {
    ...geometry,
    modifiedMs: 1,
    salt,
    fragments: fragments.map(({ indexBytes }) => fragmentIdOf(indexBytes)),
    by: deviceAt(0).deviceId,
    atMs: 1,
    access,
  };
  const { catalogueKey, poolId } = POOL_KEYS;
  const sealedManifest = await sealManifest(manifest, catalogueKey, poolId, randomBytes(12), webCryptography);
  return { sealedManifest, manifest, fragments, secret: { linkKey, sharedKey } };
}

const shared = await store(false);
const hidden = await store(true);

/** Opens segment 0 with a file key; rejects when the tag does not fit. */
async function openFirst(file: StoredFile, key: Uint8Array, using: readonly number[]): Promise<Uint8Array> {
  const { manifest } = file;
  const blocks = using.map((index) => ({
    index,
    bytes: itemAt(itemAt(file.fragments, index).blocks, 0).slice(),
  }));
  const segmentCount = segmentCountOf(manifest);
  const parameters = { key, salt: manifest.salt, segmentIndex: 0, segmentCount, k: K, n: N };
  const opening = await codec.open(parameters, blocks, plainBytesOf(manifest, 0));
  if (opening.kind !== 'opened') throw new Error('no hash should have been checked');
  return opening.plain;
}

function sharesOf(file: StoredFile, using: readonly number[]): IndexedShare[] {
  return using.map((index) => ({
    index,
    share: decodeFragmentIndex(itemAt(file.fragments, index).indexBytes).share,
  }));
}

describe('a file read as intended', () => {
  it('opens with the pool’s half key and any k fragments', async () => {
    for (const using of [
      [0, 1, 2, 3],
      [7, 2, 5, 0],
    ]) {
      const manifest = await openAsMember(shared);
      if (manifest.access.kind !== 'pool') throw new Error('expected a pool file');
      const key = deriveFileKey(
        manifest.access.linkKey,
        combineShares(sharesOf(shared, using)),
        manifest.salt,
      );
      expect(await openFirst(shared, key, using)).toEqual(PLAIN.slice(0, segmentBytesOf(manifest)));
    }
  });
});

describe('a member with every pool key and k - 1 fragments', () => {
  it('cannot have the key: its shares fit every value of the shared half equally well', () => {
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const held = fc.shuffledSubarray(indicesOf(N), { minLength: K - 1, maxLength: K - 1 });
    fc.assert(
      fc.property(fc.oneof(bytes32, fc.constant(shared.secret.sharedKey)), held, (candidate, using) => {
        const known = sharesOf(shared, using);
        const missing = indicesOf(N).find((index) => !using.includes(index)) ?? -1;
        const completing = { index: missing, share: valueAt(missing + 1, candidate, known) };
        expect(combineShares([...known, completing])).toEqual(candidate);
      }),
      { numRuns: 60 },
    );
  });

  it('decrypts nothing with what it can compute: the tag never fits, and no part of the text appears', async () => {
    const { access, salt } = shared.manifest;
    if (access.kind !== 'pool') throw new Error('expected a pool file');
    const using = [0, 1, 2];
    const guesses = [
      new Uint8Array(32),
      combineShares(sharesOf(shared, using)),
      combineShares(sharesOf(shared, [0, 1])),
      ...sharesOf(shared, using).map(({ share }) => share),
      access.linkKey,
    ];
    for (const guess of guesses) {
      const key = deriveFileKey(access.linkKey, guess, salt);
      // Even with all blocks, which it does not have, this key opens nothing.
      await expectRejects('corrupt', openFirst(shared, key, [0, 1, 2, 3]));
      // A systematic block is a slice of ciphertext: the right key would make it a slice of text, without the
      // tag.
      expect(hasText(keystreamOn(itemAt(itemAt(shared.fragments, 0).blocks, 0), key))).toBe(false);
    }
    // This is what the secret sharing prevents: the right key makes one data block readable alone.
    const right = deriveFileKey(access.linkKey, shared.secret.sharedKey, salt);
    expect(hasText(keystreamOn(itemAt(itemAt(shared.fragments, 0).blocks, 0), right))).toBe(true);
  });

  it('finds no part of the text in any block or index of any fragment', () => {
    expect(hasText(PLAIN)).toBe(true);
    for (const { blocks, indexBytes } of shared.fragments) {
      for (const bytes of [...blocks, indexBytes]) expect(hasText(bytes)).toBe(false);
    }
    expect(hasText(shared.sealedManifest)).toBe(false);
  });
});

describe('k fragments without the pool', () => {
  it('open nothing: the manifest stays sealed, and no available half key fits', async () => {
    const sharedKey = combineShares(sharesOf(shared, [0, 1, 2, 3]));
    expect(sharedKey).toEqual(shared.secret.sharedKey);
    const { salt } = shared.manifest;
    for (const guess of [new Uint8Array(32), sharedKey, salt, randomBytes(32)])
      await expectRejects('corrupt', openFirst(shared, deriveFileKey(guess, sharedKey, salt), [0, 1, 2, 3]));
    const { poolId } = POOL_KEYS;
    for (const key of [new Uint8Array(32), sharedKey, randomBytes(32)])
      await expectRejects('bad-message', openManifest(shared.sealedManifest, [key], poolId, webCryptography));
    expect(hasBytes(shared.sealedManifest, utf8(NAME))).toBe(false);
  });
});

describe('a private file', () => {
  it('does not show the pool its name, path, type, half key, or a content tag', async () => {
    const manifest = await openAsMember(hidden);
    expect(manifest.access.kind).toBe('private');
    const { catalogueKey, poolId } = POOL_KEYS;
    const sealed = hidden.sealedManifest;
    const aad = utf8(`palm/v1/manifest/${poolId}`);
    const plain = await webCryptography.open(catalogueKey, sealed.subarray(0, 12), aad, sealed.subarray(12));
    if (plain === undefined) throw new Error('a member must be able to open the manifest');
    for (const secret of [
      utf8(NAME),
      utf8('where/it/lies'),
      utf8('text/plain'),
      hidden.secret.linkKey,
      hidden.secret.sharedKey,
    ])
      expect(hasBytes(plain, secret)).toBe(false);
    expect(hasBytes(plain, utf8('contentTag'))).toBe(false);
    expect(hasBytes(plain, manifest.salt), 'what is there is found').toBe(true);
  });

  it('does not open for the pool even with all n fragments, but opens with its link', async () => {
    const { salt, access } = hidden.manifest;
    if (access.kind !== 'private') throw new Error('expected a private file');
    const sharedKey = combineShares(sharesOf(hidden, [0, 1, 2, 3]));
    for (const guess of [new Uint8Array(32), POOL_KEYS.catalogueKey, POOL_KEYS.contentTagKey, sharedKey]) {
      await expectRejects('corrupt', openFirst(hidden, deriveFileKey(guess, sharedKey, salt), [0, 1, 2, 3]));
      await expectRejects('link-needed', openDetails(access.sealed, guess, salt, webCryptography));
    }
    const fileId = fileIdOf(hidden.sealedManifest);
    const link = decodeFileLink(encodeFileLink({ fileId, linkKey: hidden.secret.linkKey }));
    expect(await openDetails(access.sealed, link.linkKey, salt, webCryptography)).toMatchObject({
      name: NAME,
    });
    const opened = await openFirst(hidden, deriveFileKey(link.linkKey, sharedKey, salt), [0, 1, 2, 3]);
    expect(opened).toEqual(PLAIN.slice(0, segmentBytesOf(hidden.manifest)));
  });

  it('also needs k fragments: its link and k - 1 open nothing', async () => {
    const { salt } = hidden.manifest;
    const guess = combineShares(sharesOf(hidden, [0, 1, 2]));
    const key = deriveFileKey(hidden.secret.linkKey, guess, salt);
    await expectRejects('corrupt', openFirst(hidden, key, [0, 1, 2, 3]));
  });
});

describe('two files of the same bytes', () => {
  it('have nothing in common that a holder could compare', async () => {
    const again = await store(false);
    const seen = new Set(shared.fragments.flatMap(({ index }) => index.blocks.map(hexOf)));
    for (const { index } of again.fragments) {
      for (const hash of index.blocks) expect(seen.has(hexOf(hash))).toBe(false);
    }
    expect(again.manifest.fragments.some((id) => shared.manifest.fragments.includes(id))).toBe(false);
  });
});

function openAsMember(file: StoredFile): Promise<Manifest> {
  return openManifest(file.sealedManifest, [POOL_KEYS.catalogueKey], POOL_KEYS.poolId, webCryptography);
}

function randomBytes(length: number): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(length));
}

/**
 * The value at `x` of the polynomials through `secret` at 0 and the known shares: one value for each secret.
 */
function valueAt(x: number, secret: Uint8Array, known: readonly IndexedShare[]): Uint8Array {
  const points = [{ x: 0, y: secret }, ...known.map(({ index, share }) => ({ x: index + 1, y: share }))];
  return Uint8Array.from({ length: 32 }, (_, at) =>
    points.reduce((sum, point) => {
      const weight = points
        .filter((other) => other !== point)
        .reduce((product, other) => multiply(product, multiply(other.x ^ x, invert(other.x ^ point.x))), 1);
      return sum ^ multiply(weight, point.y[at] ?? 0);
    }, 0),
  );
}

/**
 * A block that begins the ciphertext of segment 0 (whose nonce is zero), decrypted without checking the tag.
 */
function keystreamOn(block: Uint8Array, key: Uint8Array): Uint8Array {
  return createDecipheriv('aes-256-gcm', key, new Uint8Array(12)).update(block);
}

/**
 * Whether any WINDOW_BYTES consecutive bytes of the text appear in `bytes`. The text repeats, so one period
 * covers all.
 */
function hasText(bytes: Uint8Array): boolean {
  return indicesOf(57).some((start) => hasBytes(bytes, PLAIN.subarray(start, start + WINDOW_BYTES)));
}

function hasBytes(bytes: Uint8Array, part: Uint8Array): boolean {
  return Buffer.from(concatBytes(bytes)).includes(Buffer.from(concatBytes(part)));
}
