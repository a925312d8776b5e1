// A fragment of a file with a few short blocks, for tests that take it.

import { sha256 } from '@noble/hashes/sha2.js';
import { encodeFragmentIndex } from '../../../../src/core/coding/fragment-index.ts';
import type { Manifest } from '../../../../src/core/catalogue/manifest.ts';
import { type BlockHash, fragmentIdOf, parseBlockHash } from '../../../../src/core/model/ids.ts';
import { indicesOf, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, itemAt, manifestOf } from '../../../fixtures/pool-fixture.ts';

export const BLOCK_BYTES = 32;
export const FROM = deviceAt(1).deviceId;

export interface TestFragment {
  readonly manifest: Manifest;
  readonly index: Uint8Array<ArrayBuffer>;
  readonly blocks: readonly { readonly hash: BlockHash; readonly bytes: Uint8Array<ArrayBuffer> }[];
}

/** Fragment 0 of a file. */
export function fragmentOf(segmentCount: number, seed: number): TestFragment {
  const blocks = indicesOf(segmentCount).map((segment) => {
    const bytes = seededBytes(BLOCK_BYTES, seed + segment);
    return { hash: parseBlockHash(sha256(bytes)), bytes };
  });
  const hashes = blocks.map(({ hash }) => hash);
  const index = encodeFragmentIndex({ fragment: 0, share: seededBytes(32, seed), blocks: hashes });
  const [k, n] = [2, 3];
  const others = [1, 2].map((fragment) => itemAt(manifestOf(FROM).fragments, fragment));
  const manifest = manifestOf(FROM, {
    size: segmentCount * (k * BLOCK_BYTES - 16),
    k,
    n,
    blockBytes: BLOCK_BYTES,
    fragments: [fragmentIdOf(index), ...others],
  });
  return { manifest, index, blocks };
}
