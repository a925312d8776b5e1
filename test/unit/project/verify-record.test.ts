// docs/verify-record.mjs, run as anybody would run it: it finds nothing wrong with an exported record, and
// finds each change to one, on its line.

import { beforeAll, describe, expect, it } from 'vitest';
import { webCryptography } from '../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import { ActSet } from '../../../src/core/catalogue/grants/act-set.ts';
import { checkEntry } from '../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../src/core/catalogue/entry.ts';
import { sealManifest } from '../../../src/core/catalogue/manifest.ts';
import { exportLines } from '../../../src/runtime/record/record-export.ts';
import { deviceAt, fileIdAt, manifestOf, POOL_KEYS, signedRecord } from '../../fixtures/pool-fixture.ts';
import { seededBytes } from '../../fixtures/erasure-oracle.ts';
import { verdictOn, withLine, wrongLines } from '../../fixtures/record-script.ts';
import { KeyRing } from '../../../src/core/model/key-ring.ts';

const T0 = 1_760_000_000_000;
/** In the file below: the head, then these. */
const LINE = { profile: 2, file: 4, remove: 5, policy: 6, granted: 7, last: 8, end: 9 };

let whole: readonly string[];

beforeAll(async () => {
  const catalogue = new Catalogue();
  const say = async (index: number, body: EntryBody): Promise<void> => {
    const identity = deviceAt(index);
    const nowMs = T0 + 1_000 * [...catalogue.missingFor([])].length;
    const record = await signedRecord(identity, catalogue.positionOf(identity.deviceId, nowMs), body);
    catalogue.add([await checkEntry(record, new KeyRing(POOL_KEYS), webCryptography)]);
  };
  const { deviceId } = deviceAt(0);
  const { catalogueKey, poolId } = POOL_KEYS;
  const manifest = await sealManifest(
    manifestOf(deviceId),
    catalogueKey,
    poolId,
    seededBytes(12, 9),
    webCryptography,
  );
  await say(0, { kind: 'profile', name: 'Laptop' });
  await say(1, { kind: 'profile', name: 'Téléphone' });
  await say(0, { kind: 'file', manifest });
  await say(1, { kind: 'remove', file: fileIdAt(3) });
  await say(0, { kind: 'policy', parts: { phone: 60_000, repairShare: 500_000, k: 3, n: 7 } });
  await say(1, {
    kind: 'unknown',
    fields: { kind: 'granted', role: 'admin', scores: [1.5, -2, true, null] },
  });
  await say(0, { kind: 'leave' });
  whole = await exportLines({
    catalogue,
    acts: new ActSet(),
    cryptography: webCryptography,
    identity: deviceAt(0),
    poolId,
    nowMs: T0 + 60_000,
    slices: { next: async () => undefined },
  });
});

function changed(
  line: number,
  change: (value: Record<string, unknown>) => Record<string, unknown>,
): string[] {
  return withLine(whole, line, change);
}

function flipped(record: unknown, at: number): string {
  const bytes = Buffer.from(String(record), 'base64url');
  const place = at < 0 ? bytes.length + at : at;
  bytes[place] = (bytes[place] ?? 0) ^ 1;
  return bytes.toString('base64url');
}

describe('the script that checks a record', () => {
  it('finds nothing wrong with one as it was exported, and says what it cannot check', () => {
    const { code, said } = verdictOn(whole);
    expect(said.at(-1)).toBe('Nothing is wrong.');
    expect(code).toBe(0);
    expect(said).toContainEqual(expect.stringContaining('7 entries of 2 devices'));
    expect(said).toContainEqual(expect.stringContaining('"granted" are not known'));
    expect(said).toContainEqual(expect.stringContaining('1 names of files cannot be checked'));
    expect(whole).toHaveLength(LINE.end);
  });

  it('finds a flipped bit in any byte of a record', () => {
    const { record } = JSON.parse(whole[LINE.remove - 1] ?? '');
    const byteCount = Buffer.from(record, 'base64url').length;
    for (let at = 0; at < byteCount; at += 23) {
      const lines = changed(LINE.remove, (value) => ({ ...value, record: flipped(record, at) }));
      expect(wrongLines(lines), `byte ${at}`).toContain(LINE.remove);
    }
  });

  it('finds a dropped line by the entry after it, and one at the end by the end', () => {
    expect(wrongLines(whole.toSpliced(LINE.file - 1, 1))).toEqual([1, LINE.policy - 1]);
    expect(wrongLines(whole.toSpliced(LINE.last - 1, 1))).toEqual([1]);
    const { said } = verdictOn(whole.slice(0, -1));
    expect(said).toContainEqual(`line ${LINE.last}: the end is missing: lines may have been cut off`);
  });

  it('finds lines that were swapped, and one that is there twice', () => {
    const [a = '', b = ''] = whole.slice(LINE.remove - 1);
    expect(wrongLines(whole.toSpliced(LINE.remove - 1, 2, b, a))).toEqual([LINE.remove + 1]);
    expect(wrongLines(whole.toSpliced(LINE.remove - 1, 0, a))).toContain(LINE.remove + 1);
  });

  it('finds a forged signature, and an entry that another device signed', async () => {
    const lines = changed(LINE.policy, (value) => ({ ...value, record: flipped(value['record'], -1) }));
    expect(verdictOn(lines).said).toContainEqual(
      `line ${LINE.policy}: the signature does not fit: this is not what the device signed`,
    );
    expect(wrongLines(lines)).toEqual([LINE.policy]);
    const { seq, prev, at } = JSON.parse(whole[LINE.remove - 1] ?? '');
    const position = { seq, prev, at: { ms: at[0], count: at[1] } };
    const record = await signedRecord(deviceAt(5), position, { kind: 'remove', file: fileIdAt(3) });
    const forged = changed(LINE.remove, (value) => ({
      ...value,
      record: Buffer.from(record).toString('base64url'),
    }));
    expect(wrongLines(forged)).toContain(LINE.remove);
  });

  it.each<[number, string, unknown]>([
    [LINE.profile, 'name', 'Tablet'],
    [LINE.profile, 'deviceName', 'Tablet'],
    [LINE.profile, 'seq', 2],
    [LINE.file, 'file', 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'],
    [LINE.file, 'kind', 'remove'],
    [LINE.remove, 'device', 'bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'],
    [LINE.remove, 'at', [T0, 0]],
    [LINE.policy, 'policy', { k: 2, n: 7 }],
    [LINE.granted, 'entry', 'bafyreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy'],
    [LINE.granted, 'name', 'made up'],
    [LINE.last, 'prev', null],
  ])('finds that line %i does not say what was signed: %s', (line, name, value) => {
    expect(wrongLines(changed(line, (before) => ({ ...before, [name]: value })))).toEqual([line]);
  });

  it('finds an end that the exporting device did not sign', () => {
    for (const [name, value] of [
      ['sha256', '00'.repeat(32)],
      ['signature', 'A'.repeat(86)],
      ['key', Buffer.from(deviceAt(1).publicKey).toString('base64url')],
    ] as const) {
      const { code, said } = verdictOn(changed(LINE.end, (end) => ({ ...end, [name]: value })));
      expect(code, name).toBe(1);
      expect(said, name).toContainEqual(expect.stringMatching(/^line 9: /));
    }
  });

  it('says of anything else that it is no record', () => {
    for (const text of ['', '\n', 'hello\n', '{}\n', `[1]\n${whole[1] ?? ''}`, whole.join('').slice(0, 700)])
      expect(verdictOn([text]).code, text.slice(0, 20)).toBe(1);
  });
});
