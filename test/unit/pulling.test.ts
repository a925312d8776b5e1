// Pulling a fragment of which some blocks are here already, for a claim that may end at any moment.

import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { encodeFragmentIndex } from '../../src/core/coding/fragment-index.ts';
import { blockKey, fragmentIdOf, parseBlockHash } from '../../src/core/model/ids.ts';
import { pullFragment } from '../../src/runtime/pulling.ts';
import { createMemoryStore } from '../sim/memory-store.ts';
import { indicesOf, seededBytes } from './erasure-oracle.ts';
import { deviceAt, fileIdAt, itemAt, manifestOf } from './pool-fixture.ts';

const BLOCK_BYTES = 32;
const SEGMENT_COUNT = 8;
const FROM = deviceAt(1).deviceId;

it('a fragment whose blocks were partly here, and are given up while the others are fetched, is held all the same', async () => {
  const { fragments } = createMemoryStore();
  const blocks = indicesOf(SEGMENT_COUNT).map((segment) => {
    const bytes = seededBytes(BLOCK_BYTES, 10 + segment);
    return { hash: parseBlockHash(new Uint8Array(createHash('sha256').update(bytes).digest())), bytes };
  });
  const hashes = blocks.map(({ hash }) => hash);
  const indexBytes = encodeFragmentIndex({ fragment: 0, share: seededBytes(32, 1), blocks: hashes });
  const [k, n] = [2, 3];
  const manifest = manifestOf(FROM, {
    size: SEGMENT_COUNT * (k * BLOCK_BYTES - 16),
    k,
    n,
    blockBytes: BLOCK_BYTES,
    fragments: [
      fragmentIdOf(indexBytes),
      ...[1, 2].map((fragment) => itemAt(manifestOf(FROM).fragments, fragment)),
    ],
  });
  const early = blocks.slice(0, 3).map(({ hash, bytes }) => ({ hash, bytes: bytes.slice() }));
  await fragments.putBlocks('soon:someone', early, 'claimed');
  const asked: string[] = [];
  const pulled = await pullFragment({ file: fileIdAt(0), fragment: 0 }, FROM, {
    manifest,
    fragments,
    settled: async () => undefined,
    request: async (ask) => {
      if (ask.kind === 'get-index') return indexBytes;
      asked.push(blockKey(ask.hash));
      await fragments.release('soon:someone');
      const found = blocks.find(({ hash }) => blockKey(hash) === blockKey(ask.hash));
      if (found === undefined) throw new Error('only blocks of the fragment are asked for');
      return found.bytes.slice();
    },
  });
  expect(pulled).toMatchObject({ kind: 'held', blocks: hashes });
  // What was missing first, then what was given up; nothing twice.
  expect(asked).toEqual([...hashes.slice(3), ...hashes.slice(0, 3)].map(blockKey));
  expect(await fragments.owners()).toEqual([]);
  expect(await fragments.hasBlocks(hashes)).not.toContain(false);
});
