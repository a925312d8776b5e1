// Memory as it comes at its worst: full of old bytes, and gone once it was given back.

import { discard } from '../src/core/model/bytes.ts';
import type { Memory } from '../src/core/ports.ts';

export const dirtyMemory: Memory = {
  take: (byteCount) => new Uint8Array(byteCount + 64).fill(0xa5).subarray(0, byteCount),
  give: discard,
};
