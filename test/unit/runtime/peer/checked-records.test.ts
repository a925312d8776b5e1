// Bundles that an earlier build wrote, which did not know the kinds of today.

import { expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { concatBytes, utf8 } from '../../../../src/core/model/bytes.ts';
import { parseFileId } from '../../../../src/core/model/ids.ts';
import { deriveBundleKey, derivePoolKeys } from '../../../../src/core/model/pool-keys.ts';
import { CheckedRecords, checkEntries } from '../../../../src/runtime/peer/checked-records.ts';
import { createMemoryStore } from '../../../sim/memory-store.ts';
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import bundle from '../../../vectors/bundle.json' with { type: 'json' };
import vectors from '../../../vectors/file-name.json' with { type: 'json' };
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

it('reads entries again that were bundled before their kind was known, and keeps them in their bundle', async () => {
  const keys = derivePoolKeys(bytesOfHex(vectors.poolSecret), vectors.epoch);
  const older = vectors.entries.map(({ packed, record }) => withoutKind(packed, record.length / 2));
  const run = concatBytes(bytesOfHex(bundle.run), ...older);
  const nonce = seededBytes(12, 1);
  const aad = utf8(`palm/v1/checked-entries/${keys.poolId}`);
  const sealed = await webCryptography.seal(deriveBundleKey(keys), nonce, aad, run);
  const { records } = createMemoryStore();
  await records.putMeta('catalogue/1', concatBytes(nonce, sealed));
  await records.putMeta('catalogue', [1]);

  const catalogue = new Catalogue();
  const kept = new CheckedRecords({
    records,
    cryptography: webCryptography,
    random: { bytes: (length) => seededBytes(length, 2) },
    keys: new KeyRing(keys),
    catalogue,
    slices: { next: async () => undefined },
    background: (work) => void work,
  });
  expect(await kept.restore()).toBe(0);
  const listed = Array.from(catalogue.listed(), ({ fileId }) => fileId);
  expect(listed).toEqual([parseFileId(vectors.nameId)]);
  expect(catalogue.files().has(parseFileId(vectors.name.content))).toBe(true);
  // They do not become rows of their own, and can still be let go of.
  expect(await records.loadRecords()).toEqual([]);
  const all = [...catalogue.missingFor([])];
  await kept.forget(all);
  expect(await records.getMeta('catalogue')).toEqual([]);
});

it('checks records in small portions, and lets other work come before each', async () => {
  const keys = derivePoolKeys(bytesOfHex(vectors.poolSecret), vectors.epoch);
  const records = Array.from({ length: 50 }, () => bytesOfHex(vectors.entries[0]?.record ?? ''));
  let checkedCount = 0;
  const checkedAt: number[] = [];
  const checked = await checkEntries(records, {
    keys: new KeyRing(keys),
    cryptography: {
      ...webCryptography,
      verify: async (...given) => {
        checkedCount += 1;
        return webCryptography.verify(...given);
      },
    },
    slices: { next: async () => void checkedAt.push(checkedCount) },
  });
  expect(checked).toHaveLength(50);
  expect(checkedAt).toEqual([0, 8, 16, 24, 32, 40, 48]);
});

/** As a build packs it that does not know the kind: nothing behind the record. */
function withoutKind(packed: string, recordBytes: number): Uint8Array {
  const bytes = bytesOfHex(packed).slice(0, 121 + recordBytes);
  new DataView(bytes.buffer).setUint32(0, bytes.length);
  return bytes;
}
