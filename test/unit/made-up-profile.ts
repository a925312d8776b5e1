// What a browser profile consists of, made up for the thief's own tests: LevelDB's files, V8's rows, and a file of Palm's.

import { createCipheriv } from 'node:crypto';
import { encode } from '@ipld/dag-cbor';
import { CID } from 'multiformats/cid';
import * as Digest from 'multiformats/hashes/digest';
import { shareOf } from '../thief/field.ts';
import { dataKeyOf, hkdf, poolKeysOf, sha256 } from '../thief/keys.ts';
import { writeList } from '../thief/cbor.ts';
import invite from '../vectors/invite.json' with { type: 'json' };

/** A file of one segment, k = n = 2, as the rows that a device would have of it: indexes first, blocks last. */
export function madeUpFile(): {
  readonly plain: Buffer;
  readonly rows: Buffer[];
  readonly indexes: Buffer[];
  readonly invite: string;
  readonly blocks: Buffer[];
  readonly inviteRow: Buffer;
} {
  const { secret, epoch, text } = invite.invites[0] ?? { secret: '', epoch: 0, text: '' };
  const { poolId, catalogueKey } = poolKeysOf(Buffer.from(secret, 'hex'), epoch);
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
  const fragments = indexes.map(fragmentIdOf);
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
  return { plain, rows, indexes, invite: text, blocks, inviteRow };
}

export function fragmentIdOf(index: Buffer): CID {
  return CID.createV1(0x71, Digest.create(0x12, sha256(index)));
}

export function seal(key: Buffer, nonce: Buffer, aad: Buffer | string, plain: Uint8Array): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonce);
  cipher.setAAD(Buffer.from(aad));
  return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
}

/** A log with `records`, as LevelDB writes it, its checksums left out. */
export function logOf(records: readonly Buffer[]): Buffer {
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
export function tableOf(entries: readonly (readonly [string, string])[]): Buffer {
  const data = Buffer.concat([snap(blockOf(entries)), Buffer.from([1, 0, 0, 0, 0])]);
  const handle = Buffer.from([0, ...varint(data.length - 5)]);
  const index = blockOf([['z', handle.toString('latin1')]]);
  const footer = Buffer.alloc(48);
  Buffer.from([0, 0, ...varint(data.length), ...varint(index.length)]).copy(footer);
  Buffer.from('57fb808b247547db', 'hex').copy(footer, 40);
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
export function snap(bytes: Buffer): Buffer {
  return Buffer.concat([
    Buffer.from([...varint(bytes.length), 61 << 2, (bytes.length - 1) & 255, (bytes.length - 1) >> 8]),
    bytes,
  ]);
}

/** A `Uint8Array` as V8 serializes it. */
export function bufferOf(bytes: Buffer): Buffer {
  const length = varint(bytes.length);
  return Buffer.concat([Buffer.from([0x42, ...length]), bytes, Buffer.from([0x56, 0x42, 0, ...length, 0])]);
}

/** An object as V8 serializes it. */
export function rowOf(properties: Readonly<Record<string, string | number | Buffer>>): Buffer {
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
