// docs/verify-record.mjs on a record with acts: it finds nothing wrong with acts of each kind, and finds each
// change to one, on its line. What the script does about entries is in verify-record.test.ts.

import { beforeAll, expect, it } from 'vitest';
import { webCryptography } from '../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../src/core/catalogue/catalogue.ts';
import { checkAct, type CheckedAct } from '../../../src/core/catalogue/grants/act.ts';
import { bytesOfHex } from '../../../src/core/model/bytes.ts';
import { parsePoolId, type EntryId, type PoolId } from '../../../src/core/model/ids.ts';
import { exportLines } from '../../../src/runtime/record/record-export.ts';
import { deviceAt, itemAt, POOL_KEYS } from '../../fixtures/pool-fixture.ts';
import { admitOf, charterBy, following, writeAct } from '../../fixtures/signed-acts.ts';
import { verdictOn, withLine, wrongLines } from '../../fixtures/record-script.ts';
import vectors from '../../vectors/act.json' with { type: 'json' };

const T0 = 1_760_000_000_000;

/** Acts of each kind, by an independent implementation of the format. */
let whole: readonly string[];

beforeAll(async () => {
  const pool = parsePoolId(vectors.pool);
  const acts: CheckedAct[] = [];
  for (const { record } of vectors.acts) acts.push(await checkAct(bytesOfHex(record), pool, webCryptography));
  // The vectors' admit shows no invite: it counts for nothing, and may be in a record.
  const admit = acts.find(({ record }) => record.body.kind === 'admit')?.record.id;
  whole = await exported(acts, pool, (act) => act !== admit);
});

it('finds nothing wrong with acts of each kind, and says what it cannot judge', () => {
  const { code, said } = verdictOn(whole);
  expect(said.at(-1)).toBe('Nothing is wrong.');
  expect(code).toBe(0);
  expect(said).toContainEqual(
    `${vectors.acts.length} acts of 3 devices. Which of them count is the exporting device's word.`,
  );
  expect(said).toContainEqual('Acts of the kind "ordain" are not known to this program.');
  expect(JSON.parse(whole[0] ?? '')).toMatchObject({ palmRecord: 2, entries: 0, acts: vectors.acts.length });
});

it('finds a flipped bit in any byte of an act of any kind', () => {
  for (const [index, { kind }] of vectors.acts.entries()) {
    const line = index + 2;
    const { record } = JSON.parse(whole[line - 1] ?? '');
    const bytes = Buffer.from(record, 'base64url');
    const at = Math.floor((bytes.length * 5) / 9);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    const lines = changed(line, (value) => ({ ...value, record: bytes.toString('base64url') }));
    expect(wrongLines(lines), kind).toContain(line);
  }
});

it('finds each word that does not follow from what was signed', () => {
  let count = 0;
  const base = ['act', 'device', 'deviceName', 'seq', 'prev', 'at', 'kind'];
  for (const [index, text] of whole.slice(1, -1).entries()) {
    // What all acts say is looked at in the first alone: each look starts the script.
    const skipped = ['record', 'counts', ...(index === 0 ? [] : base)];
    for (const name of Object.keys(JSON.parse(text)).filter((each) => !skipped.includes(each))) {
      const lines = changed(index + 2, (value) => ({ ...value, [name]: 'made up' }));
      expect(wrongLines(lines), `${text.slice(0, 80)} ${name}`).toEqual([index + 2]);
      count += 1;
    }
  }
  expect(wrongLines(changed(3, (value) => ({ ...value, reason: 'made up' })))).toEqual([3]);
  expect(count).toBeGreaterThan(base.length + 10);
});

it('finds an act that was left out, by those that had seen it, and acts in another order', () => {
  const charter = 2;
  const { said, code } = verdictOn(whole.toSpliced(charter - 1, 1));
  expect(code).toBe(1);
  expect(said).toContainEqual(expect.stringMatching(/an act that its writer had seen is missing, or below/));
  expect(said).toContainEqual(expect.stringMatching(/^line 1: the head tells of \d+ acts/));
  const [a = '', b = ''] = whole.slice(charter - 1);
  expect(wrongLines(whole.toSpliced(charter - 1, 2, b, a))).toContain(charter);
});

it('finds an admit whose newcomer showed no signed invite, a recover that no code signed, and a forged offer', async () => {
  const [founder, member] = [deviceAt(0), deviceAt(1)];
  const charter = await charterBy(founder, [member]);
  const set = following(charter);
  const add = async (by: typeof founder, body: Parameters<typeof writeAct>[2]): Promise<CheckedAct> => {
    const act = await writeAct(by, set, body);
    set.add([act]);
    return act;
  };
  const offer = await writeAct(member, set, {
    kind: 'offer',
    as: 0,
    from: charter.record.id,
    charter: charter.record.id,
    members: [],
    epochs: [],
  });
  const taken = await add(founder, { kind: 'take-in', as: 0, offer: offer.record.bytes });
  const forged = Uint8Array.from(offer.record.bytes);
  forged.set([(forged.at(-1) ?? 0) ^ 1], forged.length - 1);
  const foreign = itemAt(vectors.acts, vectors.acts.length - 2); // an offer of another pool
  const elsewhere = bytesOfHex(foreign.record);
  const strange = await add(founder, { kind: 'take-in', as: 0, offer: elsewhere });
  const lie = await add(founder, { kind: 'take-in', as: 0, offer: forged });
  const admit = vectors.acts.find(({ kind }) => kind === 'admit');
  if (admit === undefined) throw new Error('There is an admit.');
  const { record } = await checkAct(bytesOfHex(admit.record), parsePoolId(vectors.pool), webCryptography);
  // Shown to another member than the one that writes it here.
  const stolen = await add(member, record.body as Parameters<typeof writeAct>[2]);
  const [admitter, invite, newcomer] = [member, deviceAt(5), deviceAt(6)];
  const who = { issuer: founder, invite, newcomer, admitter };
  const right = await add(member, await admitOf(charter.record.id, 'reader', who));
  const terms = await checkAct(right.record.bytes, POOL_KEYS.poolId, webCryptography);
  const recover = vectors.acts.find(({ kind }) => kind === 'recover');
  if (recover === undefined) throw new Error('There is a recover.');
  const order = await checkAct(bytesOfHex(recover.record), parsePoolId(vectors.pool), webCryptography);
  const usurped = await add(member, order.record.body as Parameters<typeof writeAct>[2]);
  const lines = await exported([charter, taken, strange, lie, stolen, terms, usurped], POOL_KEYS.poolId);
  const { said } = verdictOn(lines);
  const about = (line: number): string[] => said.filter((text) => text.startsWith(`line ${line}: `));
  expect(about(2)).toEqual([]);
  expect(about(3)).toEqual([]);
  const unsigned = 'nobody signed the offer of what it takes in';
  expect(foreign.kind).toBe('offer');
  expect(about(4)).toEqual([`line 4: ${unsigned}`]);
  expect(about(5)).toEqual([`line 5: ${unsigned}`]);
  expect(about(6)).toEqual([
    'line 6: its invite, or what the newcomer showed of it, is not signed as it must be',
  ]);
  expect(about(7)).toEqual([]);
  expect(JSON.parse(lines[6] ?? '')).toMatchObject({ about: deviceAt(6).deviceId, role: 'reader' });
  expect(about(8)).toContain('line 8: no recovery code signed what it orders');
});

function exported(
  acts: readonly CheckedAct[],
  poolId: PoolId,
  counts = (_act: EntryId): boolean => true,
): Promise<readonly string[]> {
  const ports = {
    catalogue: new Catalogue(),
    acts: { acts: () => acts, standings: { counts } },
    cryptography: webCryptography,
    identity: deviceAt(0),
    poolId,
    nowMs: T0,
    slices: { next: async () => undefined },
  };
  // The rest of the standings is not asked.
  return exportLines(ports as unknown as Parameters<typeof exportLines>[0]);
}

function changed(
  line: number,
  change: (value: Record<string, unknown>) => Record<string, unknown>,
): string[] {
  return withLine(whole, line, change);
}
