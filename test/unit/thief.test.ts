// The thief of the browser tests (test/thief), on made-up profiles: what he must find for his finding nothing to mean
// something. His arithmetic is held against the golden vectors.

import { createCipheriv } from 'node:crypto';
import { encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { describe, expect, test } from 'vitest';
import { seededBytes } from '../e2e/seeded-bytes.ts';
import { combine, dataBlocks, shareOf } from '../thief/field.ts';
import { dataKeyOf, fileIdOf, hkdf, openSealed, poolKeysOf, sha256 } from '../thief/keys.ts';
import { fileLayers, type Layer } from '../thief/layers.ts';
import { logPayload, tableEntries } from '../thief/leveldb.ts';
import { carve } from '../thief/loot.ts';
import { keyNeedles, nameNeedles, plainNeedles, traces } from '../thief/needles.ts';
import { rob } from '../thief/recovery.ts';
import { unsnap } from '../thief/snappy.ts';
import { writeList } from '../thief/cbor.ts';
import erasure from '../vectors/erasure.json' with { type: 'json' };
import fragmentIndex from '../vectors/fragment-index.json' with { type: 'json' };
import invite from '../vectors/invite.json' with { type: 'json' };
import keys from '../vectors/keys.json' with { type: 'json' };
import manifest from '../vectors/manifest.json' with { type: 'json' };
import segment from '../vectors/segment.json' with { type: 'json' };
import shamir from '../vectors/shamir.json' with { type: 'json' };

const unhex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('the arithmetic of a thief fits the golden vectors', () => {
  test('shares are made and combined', () => {
    for (const { k, secret, random, shares } of shamir.cases) {
      shares.forEach((share, fragment) =>
        expect(shareOf(unhex(secret), unhex(random), fragment).toString('hex')).toBe(share),
      );
      const last = shares.map((share, fragment) => [fragment, unhex(share)] as const).slice(-k);
      expect(combine(new Map(last)).toString('hex')).toBe(secret);
    }
  });

  test('data blocks are rebuilt from parity', () => {
    for (const { k, n, data, parity } of erasure.cases) {
      const bytes = unhex(data + parity);
      const blockBytes = bytes.length / n;
      const blocks = Array.from(
        { length: n },
        (_, fragment) =>
          [fragment, bytes.subarray(fragment * blockBytes, (fragment + 1) * blockBytes)] as const,
      );
      expect(dataBlocks(new Map(blocks.slice(-k)), k).toString('hex')).toBe(data);
    }
  });

  test('keys, ids, segments and manifests', () => {
    for (const { secret, epoch, poolId, catalogueKey } of keys.pools)
      expect(poolKeysOf(unhex(secret), epoch)).toEqual({ poolId, catalogueKey: unhex(catalogueKey) });
    for (const { linkKey, sharedKey, salt, fileKey } of keys.files)
      expect(dataKeyOf(unhex(linkKey), unhex(sharedKey), unhex(salt)).toString('hex')).toBe(fileKey);
    for (const { key, salt, segmentIndex, segmentCount, k, n, plain, aad, blocks } of segment.cases) {
      const list = writeList([unhex(salt), segmentIndex, segmentCount, k, n]);
      expect(list.toString('hex')).toBe(aad);
      const nonce = Buffer.alloc(12);
      nonce.writeUInt32BE(segmentIndex, 8);
      const sealed = unhex(blocks.slice(0, k).join('')).subarray(0, plain.length / 2 + 16);
      expect(openSealed(unhex(key), nonce, list, sealed)?.toString('hex')).toBe(plain);
    }
    for (const { sealed, fileId } of manifest.cases) expect(fileIdOf(unhex(sealed))).toBe(fileId);
  });
});

describe('snappy', () => {
  test('literals of all lengths, and copies with one, two and four bytes of distance', () => {
    const short = Buffer.from([0x09, 0x08, 0x61, 0x62, 0x63, (6 - 4) * 4 + 1, 0x03]);
    expect(unsnap(short)?.toString()).toBe('abcabcabc');
    const long = Buffer.alloc(300, 'x');
    const twoByteLength = Buffer.concat([Buffer.from([0xac, 0x02, 61 << 2, 0x2b, 0x01]), long]);
    expect(unsnap(twoByteLength)).toEqual(long);
    const far = Buffer.from([0x06, 0x08, 0x61, 0x62, 0x63, (3 - 1) * 4 + 2, 0x03, 0x00]);
    expect(unsnap(far)?.toString()).toBe('abcabc');
    const farther = Buffer.from([0x06, 0x08, 0x61, 0x62, 0x63, (3 - 1) * 4 + 3, 0x03, 0x00, 0x00, 0x00]);
    expect(unsnap(farther)?.toString()).toBe('abcabc');
  });

  test('what is cut, or points before its beginning, is refused', () => {
    const whole = Buffer.from([0x09, 0x08, 0x61, 0x62, 0x63, (6 - 4) * 4 + 1, 0x03]);
    for (let length = 0; length < whole.length; length++)
      expect(unsnap(whole.subarray(0, length))).toBeUndefined();
    expect(unsnap(Buffer.from([0x05, 0x00, 0x61, 0x01, 0x09]))).toBeUndefined();
  });

  test('any bytes end without an error', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void unsnap(bytes)));
  });
});

describe('LevelDB', () => {
  test('joins what a log spreads over its blocks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 6 }), (lengths) => {
        const records = lengths.map((length, at) => Buffer.alloc(length, at + 1));
        expect(logPayload(logOf(records)).equals(Buffer.concat(records))).toBe(true);
      }),
    );
  });

  test('goes on behind a block that is damaged', () => {
    const log = logOf([Buffer.alloc(40_000, 1), Buffer.from('later')]);
    log.fill(0xff, 0, 100);
    expect(logPayload(log).includes('later')).toBe(true);
  });

  test('reads tables, with shared prefixes and compressed blocks', () => {
    const entries = [
      ['apple', 'one'],
      ['apricot', 'two'],
      ['apricots', 'three'],
    ] as const;
    expect(tableEntries(tableOf(entries))?.toString()).toBe('appleoneapricottwoapricotsthree');
    expect(tableEntries(Buffer.alloc(100))).toBeUndefined();
  });
});

describe('carving', () => {
  test('finds invites in one and two bytes for each character, and no text whose checksum is wrong', () => {
    for (const { secret, epoch, text } of invite.invites) {
      for (const encoding of ['latin1', 'utf16le'] as const) {
        const { poolSecrets } = carve([layer(Buffer.from(`…/#/join/${text}"`, encoding))]);
        expect(poolSecrets).toMatchObject([{ secret: unhex(secret), epoch }]);
      }
      const mistyped = text.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'));
      expect(carve([layer(Buffer.from(mistyped))]).poolSecrets).toEqual([]);
    }
  });

  test('finds fragment indexes, also one that is cut behind its share', () => {
    for (const { fragment, share, blocks, bytes } of fragmentIndex.cases) {
      const { indexes } = carve([layer(unhex(bytes))]);
      expect(indexes).toMatchObject([{ fragment, share: unhex(share), blocks: blocks.map(unhex) }]);
      const cut = carve([layer(unhex(bytes).subarray(0, 52))]).indexes;
      expect(cut).toMatchObject([{ fragment, share: unhex(share), digest: undefined }]);
    }
  });

  test('finds the row of an unfinished store, and what is before the place where it is cut', () => {
    const kc = Buffer.alloc(32, 7);
    const row = rowOf({ storeId: 'aa', name: 'žluť.txt', size: 5, k: 4, n: 8, blockBytes: 9, linkKey: kc });
    expect(carve([layer(row)]).journals).toMatchObject([{ storeId: 'aa', name: 'žluť.txt', kc }]);
    const cut = carve([layer(row.subarray(0, row.length - 10))]).journals;
    expect(cut).toMatchObject([{ name: 'žluť.txt', kc: undefined }]);
  });

  test('reads values that Blink compressed', () => {
    const index = unhex(fragmentIndex.cases[0]?.bytes ?? '');
    const compressed = Buffer.concat([Buffer.from([0xff, 0x11, 0x02]), snap(index)]);
    expect(carve(fileLayers('a/x.blob', compressed)).indexes).toHaveLength(1);
  });
});

describe('known secrets', () => {
  test('are found at any offset and in any form', () => {
    const key = Buffer.from(Array.from({ length: 32 }, (_, at) => at * 7 + 3));
    const forms = [
      key,
      Buffer.from(key.toString('hex')),
      Buffer.from(Buffer.concat([Buffer.from('a'), key, Buffer.from('b')]).toString('base64url')),
      Buffer.from(key.toString('base64'), 'utf16le'),
    ];
    for (const form of forms)
      for (const offset of [0, 1, 5]) {
        const bytes = Buffer.concat([Buffer.alloc(offset, 1), form]);
        expect(traces([layer(bytes)], keyNeedles('key', key))).toHaveLength(1);
      }
    expect(traces([layer(Buffer.alloc(500, 3))], keyNeedles('key', key))).toEqual([]);
  });

  test('names are found in every encoding of text', () => {
    for (const encoding of ['utf8', 'utf16le'] as const) {
      const bytes = Buffer.from('xgrün.txt', encoding);
      expect(traces([layer(bytes)], nameNeedles('name', 'grün.txt'))).toHaveLength(1);
    }
  });

  test('a slice of plaintext is found, wherever it was cut', () => {
    const plain = Buffer.from(seededBytes(1, 1_000));
    const found = traces([layer(plain.subarray(333, 333 + 64))], plainNeedles('plain', plain));
    expect(found).toMatchObject([{ label: 'plain', count: 1 }]);
  });
});

describe('a whole profile', () => {
  const file = madeUpFile();

  test('gives a file whose rows were deleted, from a log alone', () => {
    const haul = rob(fileLayers('x.indexeddb.leveldb/000003.log', logOf(file.rows)));
    expect(haul.files).toMatchObject([
      { name: 'a.txt', shares: [0, 1], hasLinkKey: true, hasSharedKey: true },
    ]);
    expect(haul.files[0]?.plain?.equals(file.plain)).toBe(true);
  });

  test('gives no file with one share too few', () => {
    const haul = rob(fileLayers('x.indexeddb.leveldb/000003.log', logOf(file.rows.slice(1))));
    expect(haul.files).toMatchObject([
      { shares: [1], hasSharedKey: false, segmentsOpened: 0, plain: undefined },
    ]);
  });

  test('finds blocks in slots of the origin’s files that nothing names', () => {
    const rows = file.rows.slice(0, -2);
    const packs = file.blocks.map((block, at) => {
      const pack = Buffer.alloc(3 * 241_664);
      pack.set(block, (at + 1) * 241_664);
      return { name: `File System/000/t/00/0000000${at}`, bytes: pack, isRaw: true };
    });
    const haul = rob([...fileLayers('x.indexeddb.leveldb/000003.log', logOf(rows)), ...packs]);
    expect(haul.files[0]?.plain?.equals(file.plain)).toBe(true);
  });

  test('gives nothing of a file without the pool secret', () => {
    const haul = rob(
      fileLayers('x.indexeddb.leveldb/000003.log', logOf(file.rows.filter((row) => row !== file.inviteRow))),
    );
    expect(haul.files).toEqual([]);
    expect(haul.loot.sealedManifests).toHaveLength(1);
  });
});

function layer(bytes: Buffer): Layer {
  return { name: 'made-up', bytes, isRaw: true };
}

/** A file of one segment, k = n = 2, as the rows that a device would have of it: indexes first, blocks last. */
function madeUpFile(): {
  readonly plain: Buffer;
  readonly rows: Buffer[];
  readonly blocks: Buffer[];
  readonly inviteRow: Buffer;
} {
  const { secret, epoch, text } = invite.invites[0] ?? { secret: '', epoch: 0, text: '' };
  const { poolId, catalogueKey } = poolKeysOf(unhex(secret), epoch);
  const [kc, kq, salt] = [1, 2, 3].map((seed) => hkdf(Buffer.from([seed]), undefined, 'test', 32));
  if (kc === undefined || kq === undefined || salt === undefined) throw new Error('Three keys were made.');
  const plain = hkdf(Buffer.from([4]), undefined, 'test', 5_000);
  const sealed = seal(dataKeyOf(kc, kq, salt), Buffer.alloc(12), writeList([salt, 0, 1, 2, 2]), plain);
  const half = sealed.length / 2;
  const blocks = [sealed.subarray(0, half), sealed.subarray(half)];
  const coefficients = hkdf(Buffer.from([5]), undefined, 'test', 32);
  const indexes = blocks.map((block, i) =>
    Buffer.from(encode({ v: 1, i, share: shareOf(kq, coefficients, i), blocks: [sha256(block)] })),
  );
  const fragments = indexes.map((bytes) => CID.createV1(0x71, Digest.create(0x12, sha256(bytes))));
  const access = { kind: 'pool', name: 'a.txt', path: '', mime: '', kc, contentTag: salt };
  const size = plain.length;
  const plainManifest = encode({ v: 1, size, k: 2, n: 2, blockBytes: 262_144, salt, fragments, access });
  const nonce = Buffer.alloc(12, 9);
  const sealedManifest = Buffer.concat([
    nonce,
    seal(catalogueKey, nonce, `palm/v1/manifest/${poolId}`, plainManifest),
  ]);
  const inviteRow = rowOf({ invite: text, other: 1 });
  const rows = [
    ...indexes.map(bufferOf),
    bufferOf(Buffer.from(encode({ kind: 'file', manifest: sealedManifest }))),
    inviteRow,
    ...blocks.map(bufferOf),
  ];
  return { plain, rows, blocks, inviteRow };
}

function seal(key: Buffer, nonce: Buffer, aad: Buffer | string, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** A log with `records`, as LevelDB writes it, its checksums left out. */
function logOf(records: readonly Buffer[]): Buffer {
  const pieces: Buffer[] = [];
  let left = 32_768;
  for (const record of records) {
    let at = 0;
    do {
      if (left < 7) {
        pieces.push(Buffer.alloc(left));
        left = 32_768;
      }
      const byteCount = Math.min(record.length - at, left - 7);
      const isLast = at + byteCount === record.length;
      const type = at === 0 ? (isLast ? 1 : 2) : isLast ? 4 : 3;
      pieces.push(Buffer.from([1, 2, 3, 4, byteCount & 255, byteCount >> 8, type]));
      pieces.push(record.subarray(at, at + byteCount));
      at += byteCount;
      left -= 7 + byteCount;
    } while (at < record.length);
  }
  return Buffer.concat(pieces);
}

/** A table with one data block, compressed, and its index, which is not. */
function tableOf(entries: readonly (readonly [string, string])[]): Buffer {
  const data = Buffer.concat([snap(blockOf(entries)), Buffer.from([1, 0, 0, 0, 0])]);
  const handle = Buffer.from([0, ...varint(data.length - 5)]);
  const index = blockOf([['z', handle.toString('latin1')]]);
  const footer = Buffer.alloc(48);
  Buffer.from([0, 0, ...varint(data.length), ...varint(index.length)]).copy(footer);
  unhex('57fb808b247547db').copy(footer, 40);
  return Buffer.concat([data, index, Buffer.alloc(5), footer]);
}

function blockOf(entries: readonly (readonly [string, string])[]): Buffer {
  let before = '';
  const rows = entries.map(([key, value]) => {
    let shared = 0;
    while (shared < before.length && before[shared] === key[shared]) shared++;
    before = key;
    const head = [...varint(shared), ...varint(key.length - shared), ...varint(value.length)];
    return Buffer.concat([Buffer.from(head), Buffer.from(key.slice(shared) + value, 'latin1')]);
  });
  return Buffer.concat([...rows, Buffer.from([0, 0, 0, 0, 1, 0, 0, 0])]);
}

/** Snappy that only uses literals. */
function snap(bytes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([...varint(bytes.length), 61 << 2, (bytes.length - 1) & 255, (bytes.length - 1) >> 8]),
    bytes,
  ]);
}

/** A `Uint8Array` as V8 serializes it. */
function bufferOf(bytes: Buffer): Buffer {
  const length = varint(bytes.length);
  return Buffer.concat([Buffer.from([0x42, ...length]), bytes, Buffer.from([0x56, 0x42, 0, ...length, 0])]);
}

/** An object as V8 serializes it. */
function rowOf(properties: Readonly<Record<string, string | number | Buffer>>): Buffer {
  const text = (value: string): Buffer => {
    const isOneByte = Array.from(value).every((character) => character < '\u0100');
    const content = Buffer.from(value, isOneByte ? 'latin1' : 'utf16le');
    return Buffer.concat([Buffer.from([isOneByte ? 0x22 : 0x63, ...varint(content.length)]), content]);
  };
  const fields = Object.entries(properties).flatMap(([key, value]) => {
    if (typeof value === 'string') return [text(key), text(value)];
    return [
      text(key),
      typeof value === 'number' ? Buffer.from([0x49, ...varint(2 * value)]) : bufferOf(value),
    ];
  });
  return Buffer.concat([Buffer.from('o'), ...fields, Buffer.from([0x7b, fields.length / 2])]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [128 + (value % 128), ...varint(Math.floor(value / 128))];
}
