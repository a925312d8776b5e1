// Ids as text and as digests: the fast and the slow way give the same.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  cidOf,
  deviceIdOf,
  deviceIdOfDigest,
  digestOf,
  entryIdOf,
  entryIdOfDigest,
  fileIdOf,
  fileIdOfDigest,
  fragmentIdOf,
  fragmentIdOfDigest,
} from '../../../../src/core/model/ids.ts';

it('ids come back from their digests, wherever those lie', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(9), (bytes, at) => {
      for (const [idOf, idOfDigest] of [
        [fileIdOf, fileIdOfDigest],
        [deviceIdOf, deviceIdOfDigest],
        [entryIdOf, entryIdOfDigest],
        [fragmentIdOf, fragmentIdOfDigest],
      ] as const) {
        const id = idOf(bytes);
        expect(digestOf(id)).toEqual(new Uint8Array(cidOf(id).multihash.digest));
        const run = new Uint8Array(at + 40);
        run.set(digestOf(id), at);
        expect(idOfDigest(run, at)).toBe(id);
      }
    }),
  );
});
