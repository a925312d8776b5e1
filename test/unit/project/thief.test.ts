// The thief of the browser tests (test/thief), on made-up profiles: if he finds these, a test in which he
// finds nothing means something. His arithmetic is compared with the golden vectors.

import { encode } from '@ipld/dag-cbor';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { seededBytes } from '../../e2e/seeded-bytes.ts';
import { combine, dataBlocks, shareOf } from '../../thief/field.ts';
import { dataKeyOf, fileIdOf, hkdf, openSealed, poolKeysOf } from '../../thief/keys.ts';
import { fileLayers, type Layer } from '../../thief/layers.ts';
import { logPayload, tableEntries } from '../../thief/leveldb.ts';
import { carve } from '../../thief/loot.ts';
import { keyNeedles, nameNeedles, plainNeedles, traces } from '../../thief/needles.ts';
import { rob } from '../../thief/recovery.ts';
import { unsnap } from '../../thief/snappy.ts';
import { writeList } from '../../thief/cbor.ts';
import erasure from '../../vectors/erasure.json' with { type: 'json' };
import fragmentIndex from '../../vectors/fragment-index.json' with { type: 'json' };
import invite from '../../vectors/invite.json' with { type: 'json' };
import keys from '../../vectors/keys.json' with { type: 'json' };
import manifest from '../../vectors/manifest.json' with { type: 'json' };
import segment from '../../vectors/segment.json' with { type: 'json' };
import sealedRows from '../../vectors/sealed-rows.json' with { type: 'json' };
import shamir from '../../vectors/shamir.json' with { type: 'json' };
import {
  bufferOf,
  fragmentIdOf,
  logOf,
  madeUpFile,
  rowOf,
  seal,
  snap,
  tableOf,
} from '../../fixtures/made-up-profile.ts';

const unhex = (text: string): Buffer => Buffer.from(text, 'hex');

describe('a thief’s arithmetic matches the golden vectors', () => {
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

  test('keys, ids, segments, sealed rows and manifests', () => {
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
    for (const { slot, name, plain, sealed } of sealedRows.rows) {
      const key = unhex(sealedRows.keys).subarray(32 * slot, 32 * (slot + 1));
      const [nonce, rest] = [unhex(sealed).subarray(0, 12), unhex(sealed).subarray(12)];
      const aad = ['palm/v1/disk', ...name].join('/');
      expect(openSealed(key, nonce, aad, rest)?.toString('hex')).toBe(plain);
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

  test('data that is cut, or points before its beginning, is refused', () => {
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
  test('joins records that a log spreads over its blocks', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 90_000 }), { maxLength: 6 }), (lengths) => {
        const records = lengths.map((length, at) => Buffer.alloc(length, at + 1));
        expect(logPayload(logOf(records)).equals(Buffer.concat(records))).toBe(true);
      }),
    );
  });

  test('continues after a damaged block', () => {
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
      const mistyped = text.replace(/(?<=^.{52})./, (last) => (last === 'A' ? 'B' : 'A'));
      expect(carve([layer(Buffer.from(mistyped))]).poolSecrets).toEqual([]);
    }
  });

  test('finds fragment indexes, even one that is cut after its share', () => {
    for (const { fragment, share, blocks, bytes } of fragmentIndex.cases) {
      const { indexes } = carve([layer(unhex(bytes))]);
      expect(indexes).toMatchObject([{ fragment, share: unhex(share), blocks: blocks.map(unhex) }]);
      const cut = carve([layer(unhex(bytes).subarray(0, 52))]).indexes;
      expect(cut).toMatchObject([{ fragment, share: unhex(share), digest: undefined }]);
    }
  });

  test('finds the row of an unfinished store, and the part before a cut', () => {
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

  test('a slice of plaintext is found, wherever it begins', () => {
    const plain = Buffer.from(seededBytes(1, 1_000));
    const found = traces([layer(plain.subarray(333, 333 + 64))], plainNeedles('plain', plain));
    expect(found).toMatchObject([{ label: 'plain', count: 1 }]);
  });
});

describe('a whole profile', () => {
  const file = madeUpFile();

  test('opens a file with deleted rows, from a log alone', () => {
    const haul = rob(fileLayers('x.indexeddb.leveldb/000003.log', logOf(file.rows)));
    expect(haul.files).toMatchObject([
      { name: 'a.txt', shares: [0, 1], hasLinkKey: true, hasSharedKey: true },
    ]);
    expect(haul.files[0]?.plain?.equals(file.plain)).toBe(true);
  });

  test('opens no file with one share too few', () => {
    const haul = rob(fileLayers('x.indexeddb.leveldb/000003.log', logOf(file.rows.slice(1))));
    expect(haul.files).toMatchObject([
      { shares: [1], hasSharedKey: false, segmentsOpened: 0, plain: undefined },
    ]);
  });

  test('finds blocks in slots of the origin’s files that no row names', () => {
    const rows = file.rows.slice(0, -2);
    const packs = file.blocks.map((block, at) => {
      const pack = Buffer.alloc(3 * 241_664);
      pack.set(block, (at + 1) * 241_664);
      return { name: `File System/000/t/00/0000000${at}`, bytes: pack, isRaw: true };
    });
    const haul = rob([...fileLayers('x.indexeddb.leveldb/000003.log', logOf(rows)), ...packs]);
    expect(haul.files[0]?.plain?.equals(file.plain)).toBe(true);
  });

  test('opens nothing of a file without the pool secret', () => {
    const haul = rob(
      fileLayers('x.indexeddb.leveldb/000003.log', logOf(file.rows.filter((row) => row !== file.inviteRow))),
    );
    expect(haul.files).toEqual([]);
    expect(haul.loot.sealedManifests).toHaveLength(1);
  });
});

describe('rows sealed under keys of their own', () => {
  const file = madeUpFile();
  const DATABASE = 'x.indexeddb.leveldb/000003.log';
  const slotKeys = [1, 2, 3, 4, 5].map((seed) => hkdf(Buffer.from([seed]), undefined, 'slot', 32));
  const sealedUnder = (slot: number, name: string, plain: Uint8Array): Buffer => {
    const nonce = Buffer.alloc(12, slot + 1);
    return Buffer.concat([
      nonce,
      seal(slotKeys[slot] ?? Buffer.alloc(32), nonce, `palm/v1/disk/${name}`, plain),
    ]);
  };
  const journal = { name: 'žluť.txt', size: 5, k: 4, n: 8, blockBytes: 9, linkKey: Buffer.alloc(32, 7) };
  const segmentHash = Buffer.alloc(32, 8);
  const rows = [
    ...file.indexes.map((index, at) => {
      const fragmentId = fragmentIdOf(index).toString();
      const text = Buffer.from(fragmentId, 'utf16le').swap16();
      return Buffer.concat([text, bufferOf(sealedUnder(at, `index/${fragmentId}`, index))]);
    }),
    ...file.rows.filter((row) => row !== file.inviteRow).slice(file.indexes.length),
    rowOf({ slot: 2, sealed: sealedUnder(2, 'secret/pool-invite', Buffer.from(file.invite)) }),
    rowOf({ storeId: 'aa', slot: 3, sealed: sealedUnder(3, 'journal/aa', encode(journal)) }),
    rowOf({
      owner: 'store:aa',
      keptAs: 1,
      slot: 4,
      note: sealedUnder(4, 'kept/store:aa/1', segmentHash),
      hashes: segmentHash,
    }),
  ];
  const slotFile = (slots: readonly Buffer[]): Layer => ({
    name: 'Default/File System/000/t/00/00000001',
    bytes: Buffer.concat(slots),
    isRaw: true,
  });

  test('open with the keys that are still in their slots', () => {
    const { files, loot } = rob([...fileLayers(DATABASE, logOf(rows)), slotFile(slotKeys)]);
    expect(files[0]?.plain?.equals(file.plain)).toBe(true);
    expect(loot.journals).toMatchObject([{ storeId: 'aa', name: 'žluť.txt', kc: journal.linkKey }]);
    expect(loot.segments).toContainEqual(
      expect.objectContaining({ storeId: 'aa', segment: 1, plainHash: segmentHash }),
    );
  });

  test('say nothing once their slots were overwritten', () => {
    const overwritten = slotKeys.map((key, slot) => (slot === 0 ? key : Buffer.alloc(32)));
    const { files, loot } = rob([...fileLayers(DATABASE, logOf(rows)), slotFile(overwritten)]);
    expect(files).toEqual([]);
    expect(loot).toMatchObject({ poolSecrets: [], journals: [] });
    expect(loot.indexes).toHaveLength(1);
    expect(loot.segments.filter(({ plainHash }) => plainHash !== undefined)).toEqual([]);
  });
});

function layer(bytes: Buffer): Layer {
  return { name: 'made-up', bytes, isRaw: true };
}
