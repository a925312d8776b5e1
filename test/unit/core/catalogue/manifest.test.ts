// Manifests and private details: golden bytes, round trips, and refusals after the seal was opened.

import type { FileDetails } from '../../../../src/core/model/file-details.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import {
  checkDetails,
  openDetails,
  openManifest,
  sealDetails,
  sealManifest,
  type Access,
  type Manifest,
} from '../../../../src/core/catalogue/manifest.ts';
import { concatBytes, hexOf, utf8 } from '../../../../src/core/model/bytes.ts';
import {
  cidOf,
  fileIdOf,
  parseDeviceId,
  parseFragmentId,
  parsePoolId,
} from '../../../../src/core/model/ids.ts';
import { MAX_RECORD_BYTES } from '../../../../src/core/model/limits.ts';
import { decodeCbor, encodeCbor } from '../../../../src/core/encoding/decode.ts';
import vectors from '../../../vectors/manifest.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import {
  deviceAt,
  encodeWithFalseCid,
  expectOnly,
  expectRejects,
  expectThrows,
  FALSE_CID,
  itemAt,
  manifestOf,
  mutationsOf,
  OTHER_POOL_KEYS,
  POOL_KEYS,
} from '../../../fixtures/pool-fixture.ts';

const KEY = POOL_KEYS.catalogueKey;
const POOL = POOL_KEYS.poolId;
const NONCE = seededBytes(12, 1);
const MANIFEST = manifestOf(deviceAt(0).deviceId);

describe('golden vectors', () => {
  it.each(vectors.cases)('$fileId', async ({ manifest, nonce, plain, sealed, fileId }) => {
    const key = bytesOfHex(vectors.catalogueKey);
    const pool = parsePoolId(vectors.poolId);
    const decoded: Manifest = {
      ...manifest,
      salt: bytesOfHex(manifest.salt),
      fragments: manifest.fragments.map(parseFragmentId),
      by: parseDeviceId(manifest.by),
      access: accessOf(manifest.access),
    };
    const made = await sealManifest(decoded, key, pool, bytesOfHex(nonce), webCryptography);
    expect(hexOf(made)).toBe(sealed);
    expect(fileIdOf(made)).toBe(fileId);
    expect(await openManifest(bytesOfHex(sealed), [key], pool, webCryptography)).toEqual(decoded);
    const body = bytesOfHex(sealed).subarray(12);
    const aad = utf8(`palm/v1/manifest/${pool}`);
    expect(hexOf((await webCryptography.open(key, bytesOfHex(nonce), aad, body)) ?? NONCE)).toBe(plain);
  });

  it('private details', async () => {
    const { linkKey, details, sealed } = vectors.privateDetails;
    const salt = bytesOfHex(itemAt(vectors.cases, 1).manifest.salt);
    expect(hexOf(await sealDetails(details, bytesOfHex(linkKey), salt, webCryptography))).toBe(sealed);
    expect(await openDetails(bytesOfHex(sealed), bytesOfHex(linkKey), salt, webCryptography)).toEqual(
      details,
    );
  });
});

describe('a manifest', () => {
  it('comes back as it was', async () => {
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });
    const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const access: fc.Arbitrary<Access> = fc.oneof(
      fc.record({
        kind: fc.constant('pool'),
        details: fc.record({ name: text, path: text, mime: text }),
        linkKey: bytes32,
        contentTag: bytes32,
      }),
      fc.record({ kind: fc.constant('private'), sealed: fc.uint8Array({ minLength: 16 }) }),
    );
    const geometry = fc
      .integer({ min: 1, max: 255 })
      .chain((n) => fc.record({ k: fc.integer({ min: 1, max: n }), n: fc.constant(n), size: fc.nat() }));
    await fc.assert(
      fc.asyncProperty(access, geometry, fc.nat(), bytes32, async (who, shape, modifiedMs, salt) => {
        const manifest = manifestOf(deviceAt(1).deviceId, { ...shape, modifiedMs, salt, access: who });
        const sealed = await sealManifest(manifest, KEY, POOL, NONCE, webCryptography);
        expect(await openManifest(sealed, [KEY], POOL, webCryptography)).toEqual(manifest);
      }),
      { numRuns: 50 },
    );
  });

  it('of 255 fragments with the longest names fits a record', async () => {
    const details = { name: 'n'.repeat(255), path: 'p'.repeat(4096), mime: 'm'.repeat(255) };
    const access = {
      kind: 'pool',
      details,
      linkKey: seededBytes(32, 1),
      contentTag: seededBytes(32, 2),
    } as const;
    const manifest = manifestOf(deviceAt(0).deviceId, { k: 200, n: 255, access });
    const sealed = await sealManifest(manifest, KEY, POOL, NONCE, webCryptography);
    expect(sealed.length).toBeLessThan(MAX_RECORD_BYTES / 2);
    expect(await openManifest(sealed, [KEY], POOL, webCryptography)).toEqual(manifest);
  });

  it('does not open with another key, for another pool, or when it is changed, cut or empty', async () => {
    const sealed = await sealManifest(MANIFEST, KEY, POOL, NONCE, webCryptography);
    const open = (bytes: Uint8Array, key = KEY, pool = POOL) =>
      openManifest(bytes, [key], pool, webCryptography);
    await expectRejects('bad-message', open(sealed, OTHER_POOL_KEYS.catalogueKey));
    await expectRejects('bad-message', open(sealed, KEY, OTHER_POOL_KEYS.poolId));
    for (const at of [0, 11, 12, 100, sealed.length - 1]) {
      const changed = sealed.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      await expectRejects('bad-message', open(changed));
    }
    for (const length of [0, 12, 27, 28, sealed.length - 1])
      await expectRejects('bad-message', open(sealed.subarray(0, length)));
    await expectRejects('bad-message', open(new Uint8Array(MAX_RECORD_BYTES + 1)));
  });
});

describe('refused, though sealed by a member, is', () => {
  const ids = MANIFEST.fragments.map(cidOf);
  it.each<[string, Record<string, unknown>]>([
    ['another version', { v: 2 }],
    ['an extra key', { more: 1 }],
    ['k = 0', { k: 0 }],
    ['k > n', { k: 9 }],
    ['n = 256', { n: 256 }],
    ['n that is not the number of fragments', { n: 7 }],
    ['a fragment named twice', { fragments: [...ids.slice(1), ids[1]] }],
    ['a fragment id in text', { fragments: [...ids.slice(1), MANIFEST.fragments[0]] }],
    ['a fragment that is a file’s id', { fragments: [...ids.slice(1), cidOf(MANIFEST.by)] }],
    ['blocks of no bytes', { blockBytes: 0 }],
    ['blocks that hold only the tag', { blockBytes: 4 }],
    ['blocks beyond the limit', { blockBytes: 262_145 }],
    ['more segments than there may be', { size: 65_536 * (4 * 262_144 - 16) + 1 }],
    ['a negative size', { size: -1 }],
    ['a fractional size', { size: 0.5 }],
    ['a short salt', { salt: new Uint8Array(31) }],
    ['a time beyond the end', { at: 253_402_300_800_000 }],
    ['access of unknown kind', { access: { kind: 'all' } }],
    ['access that is no map', { access: null }],
    ['a pool file without a name', { access: poolAccess({ name: '' }) }],
    ['a name beyond 255 bytes', { access: poolAccess({ name: 'é'.repeat(128) }) }],
    ['a pool file without Kc', { access: poolAccess({ kc: new Uint8Array(0) }) }],
    ['a pool file with an extra key', { access: poolAccess({ more: 1 }) }],
    ['a private file with a name', { access: { kind: 'private', sealed: new Uint8Array(20), name: 'x' } }],
  ])('%s', async (_, change) => {
    const sealed = await sealFields({ ...(await plainFields()), ...change });
    await expectRejects('bad-message', openManifest(sealed, [KEY], POOL, webCryptography));
  });

  it('a map that poses as an id', async () => {
    const fields = await plainFields();
    for (const change of [{ by: FALSE_CID }, { fragments: [...ids.slice(1), FALSE_CID] }]) {
      const plain = encodeWithFalseCid({ ...fields, ...change });
      await expectRejects('bad-message', openManifest(await sealBytes(plain), [KEY], POOL, webCryptography));
    }
  });

  it('any garbage, with nothing worse happening', async () => {
    const plain = itemAt(vectors.cases, 0).plain;
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.uint8Array({ maxLength: 60 }), mutationsOf(bytesOfHex(plain))),
        async (bytes) => {
          const opening = openManifest(await sealBytes(bytes), [KEY], POOL, webCryptography);
          const outcome = await opening.then(
            () => () => undefined,
            (error: unknown) => () => {
              throw error;
            },
          );
          expectOnly('bad-message', outcome);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('private details', () => {
  const details: FileDetails = { name: 'diary.txt', path: 'secret', mime: 'text/plain' };
  const linkKey = seededBytes(32, 7);
  const salt = seededBytes(32, 8);

  it('open with their link key alone', async () => {
    const sealed = await sealDetails(details, linkKey, salt, webCryptography);
    expect(await openDetails(sealed, linkKey, salt, webCryptography)).toEqual(details);
    await expectRejects('link-needed', openDetails(sealed, seededBytes(32, 9), salt, webCryptography));
    await expectRejects('link-needed', openDetails(sealed, linkKey, seededBytes(32, 9), webCryptography));
    await expectRejects('link-needed', openDetails(sealed.subarray(1), linkKey, salt, webCryptography));
  });
});

it('long names come back from manifests and private details', async () => {
  const details: FileDetails = { name: `${'語'.repeat(250)}.jpg`, path: 'a/b', mime: 'image/jpeg' };
  const linkKey = seededBytes(32, 7);
  const access = { kind: 'pool', details, linkKey, contentTag: seededBytes(32, 5) } as const;
  const manifest = manifestOf(deviceAt(0).deviceId, { access });
  const sealed = await sealManifest(manifest, KEY, POOL, NONCE, webCryptography);
  expect(await openManifest(sealed, [KEY], POOL, webCryptography)).toEqual(manifest);
  const sealedDetails = await sealDetails(details, linkKey, manifest.salt, webCryptography);
  expect(await openDetails(sealedDetails, linkKey, manifest.salt, webCryptography)).toEqual(details);
});

describe('checkDetails', () => {
  const fine: FileDetails = { name: 'a', path: '', mime: '' };

  it.each<[string, Partial<FileDetails>]>([
    ['slashes, NUL, marks and emoji', { name: '../a/b\0\u202e🌴' }],
    ['255 bytes', { name: '🌴'.repeat(63) + 'abc' }],
    ['255 characters of three bytes', { name: '語'.repeat(255) }],
  ])('takes a name of %s', (_, change) => {
    checkDetails({ ...fine, ...change });
  });

  it.each<[string, Partial<FileDetails>]>([
    ['no name', { name: '' }],
    ['a name of 256 units', { name: '🌴'.repeat(128) }],
    ['a path that has no room for a long name', { name: '語'.repeat(255), path: 'p'.repeat(4000) }],
    ['a name with half a character', { name: 'a\ud83c' }],
    ['too long a path', { path: 'p'.repeat(4097) }],
    ['too long a type', { mime: 'm'.repeat(256) }],
  ])('refuses %s', (_, change) => {
    expectThrows('bad-argument', () => checkDetails({ ...fine, ...change }));
  });
});

function accessOf(access: (typeof vectors.cases)[number]['manifest']['access']): Access {
  const { kind, details, linkKey = '', contentTag = '', sealed = '' } = access;
  if (kind === 'private') return { kind, sealed: bytesOfHex(sealed) };
  if (details === undefined) throw new Error('expected the details of a pool file');
  return { kind: 'pool', details, linkKey: bytesOfHex(linkKey), contentTag: bytesOfHex(contentTag) };
}

function poolAccess(change: Record<string, unknown>): Record<string, unknown> {
  const key = seededBytes(32, 1);
  return { kind: 'pool', name: 'a', path: '', mime: '', kc: key, contentTag: key, ...change };
}

/** MANIFEST's fields as they are under the seal. */
async function plainFields(): Promise<Record<string, unknown>> {
  const sealed = await sealManifest(MANIFEST, KEY, POOL, NONCE, webCryptography);
  const plain = await webCryptography.open(KEY, NONCE, utf8(`palm/v1/manifest/${POOL}`), sealed.subarray(12));
  return { ...Object(decodeCbor(plain ?? NONCE, MAX_RECORD_BYTES)) };
}

function sealFields(fields: Record<string, unknown>): Promise<Uint8Array> {
  return sealBytes(encodeCbor(fields));
}

async function sealBytes(plain: Uint8Array): Promise<Uint8Array> {
  const aad = utf8(`palm/v1/manifest/${POOL}`);
  return concatBytes(NONCE, await webCryptography.seal(KEY, NONCE, aad, plain));
}
