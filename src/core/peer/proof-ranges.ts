// Which parts of a fragment a challenge's salt picks (FORMATS.md, challenges). A device that does not have
// the fragment when the salt comes could not know what to fetch before.

import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8 } from '../model/bytes.ts';
import { blockBytesOf, segmentCountOf, type Geometry } from '../model/geometry.ts';
import { cidOf, type FragmentId } from '../model/ids.ts';
import { PROOF_BLOCKS, PROOF_RANGE_BYTES } from '../model/limits.ts';

/** Bytes `start` to `end`, exclusive, of the fragment's block of segment `segment`. */
export interface ProofRange {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
}

/** How many blocks of a fragment a proof covers. */
export function proofBlocksOf(geometry: Geometry): number {
  return Math.min(PROOF_BLOCKS, segmentCountOf(geometry));
}

/** In the order in which they are hashed. `salt`: the challenge's, 16 bytes. */
export function proofRanges(salt: Uint8Array, fragment: FragmentId, geometry: Geometry): ProofRange[] {
  const segmentCount = segmentCountOf(geometry);
  const label = utf8('palm/v2/proof-range');
  const fragmentBytes = cidOf(fragment).bytes;
  return Array.from({ length: proofBlocksOf(geometry) }, (_, number) => {
    const draw = sha256(concatBytes(label, salt, fragmentBytes, Uint8Array.of(number)));
    const view = new DataView(draw.buffer, draw.byteOffset);
    // In files of few segments, a part of each segment is hashed.
    const segment = segmentCount <= PROOF_BLOCKS ? number : view.getUint32(0) % segmentCount;
    const blockBytes = blockBytesOf(geometry, segment);
    const start = view.getUint32(4) % Math.max(1, blockBytes - PROOF_RANGE_BYTES + 1);
    return { segment, start, end: Math.min(blockBytes, start + PROOF_RANGE_BYTES) };
  });
}
