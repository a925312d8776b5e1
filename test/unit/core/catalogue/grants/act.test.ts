// Acts: golden bytes, signatures, and that bad or foreign ones are refused.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ActSet } from '../../../../../src/core/catalogue/grants/act-set.ts';
import {
  checkAct,
  decodeAct,
  encodeActPayload,
  signedBytesOfAct,
  unitsOf,
  type CheckedAct,
} from '../../../../../src/core/catalogue/grants/act.ts';
import { encodeCbor } from '../../../../../src/core/encoding/decode.ts';
import { encodeSigned } from '../../../../../src/core/encoding/signed-record.ts';
import { hexOf } from '../../../../../src/core/model/bytes.ts';
import { parsePoolId } from '../../../../../src/core/model/ids.ts';
import vectors from '../../../../vectors/act.json' with { type: 'json' };
import { bytesOfHex } from '../../../../fixtures/erasure-oracle.ts';
import { expectOnly, expectThrows, itemAt, mutationsOf } from '../../../../fixtures/pool-fixture.ts';
import { identityFrom } from '../../../../fixtures/seeded-identity.ts';
import { webCryptography } from '../../../../../src/adapters/portable/webcrypto.ts';

type Vector = (typeof vectors.acts)[number];

const POOL = parsePoolId(vectors.pool);
/** One that may come, and one that was planned. */
const OF_OTHER_VERSIONS = ['ordain', 'adopt'];

describe.each(vectors.acts)('golden $kind', ({ kind, seed, by, seq, id, seen, payload, record }) => {
  it('is read, checked, and written again', async () => {
    const { record: act } = await checkAct(bytesOfHex(record), POOL, webCryptography);
    expect({ by: act.by, seq: act.seq, id: act.id, seen: act.body.seen }).toEqual({ by, seq, id, seen });
    expect(act.body.kind).toBe(OF_OTHER_VERSIONS.includes(kind) ? 'unknown' : kind);
    expect(hexOf(encodeActPayload(act))).toBe(payload);
    const signature = await identityFrom(bytesOfHex(seed)).sign(signedBytesOfAct(act.payload));
    expect(hexOf(encodeSigned(act.payload, signature))).toBe(record);
    expect(unitsOf(act)).toBe(1);
  });
});

it('the golden take-in takes in what the offer in it says, of the other part', async () => {
  const [{ record: offer }, { record }] = vectors.acts.slice(-2) as [Vector, Vector];
  const [{ record: own }, { takesIn }] = (await Promise.all(
    [offer, record].map((bytes) => checkAct(bytesOfHex(bytes), POOL, webCryptography)),
  )) as [CheckedAct, CheckedAct];
  expect(own.body).toMatchObject({ kind: 'offer', from: itemAt(vectors.acts, 0).id });
  expect(takesIn).toMatchObject({ charter: itemAt(vectors.acts, 0).id, epochs: [{ number: 2 }] });
  const members = takesIn?.members.map(({ role, stretches }) => [
    role,
    ...stretches.map(({ right, point }) => `${right} ${point.seq}`),
  ]);
  expect(members).toEqual([
    ['member', 'admin 3', 'none 5', 'member 9'],
    ['reader', 'member 300'],
    [undefined],
  ]);
});

it('the golden acts have the golden digest', () => {
  const acts = vectors.acts.map(({ record }) => ({ record: decodeAct(bytesOfHex(record)) }));
  const set = new ActSet();
  set.follow(itemAt(acts, 0).record.id);
  expect(set.add(acts.toReversed())).toHaveLength(acts.length);
  expect(set.digest()).toBe(vectors.digest);
});

describe('an act is refused', () => {
  const { record } = itemAt(vectors.acts, 1);
  const good = decodeAct(bytesOfHex(record));

  it('whose signature is another one’s, or under another label', async () => {
    const other = decodeAct(bytesOfHex(itemAt(vectors.acts, 2).record));
    const forged = encodeSigned(good.payload, other.signature);
    await expect(checkAct(forged, POOL, webCryptography)).rejects.toThrow('signature');
    const identity = identityFrom(bytesOfHex(itemAt(vectors.acts, 1).seed));
    const unlabelled = encodeSigned(good.payload, await identity.sign(good.payload));
    await expect(checkAct(unlabelled, POOL, webCryptography)).rejects.toThrow('signature');
  });

  it('of another pool', async () => {
    const elsewhere = parsePoolId('0'.repeat(32));
    const checking = checkAct(bytesOfHex(record), elsewhere, webCryptography);
    await expect(checking).rejects.toThrow('another pool');
  });

  it.each([
    ['has seen nothing', { seen: [] }],
    ['names what it has seen in another order', { seen: good.body.seen.concat(good.body.seen) }],
    ['gives the founder’s rank', { rank: 0 }],
    ['gives an admin no rank', { rank: 255 }],
    ['says a rank that no admin has', { as: 255 }],
  ])('that %s', (_, change) => {
    const body = { ...good.body, ...change } as typeof good.body; // wrong on purpose
    const payload = encodeActPayload({ ...good, body });
    expectThrows('bad-message', () => decodeAct(encodeSigned(payload, good.signature)));
  });

  it('that does not fit its chain', () => {
    for (const change of [{ seq: 1 }, { seq: 0 }, { prev: undefined }]) {
      const payload = encodeActPayload({ ...good, ...change });
      expectThrows('bad-message', () => decodeAct(encodeSigned(payload, good.signature)));
    }
  });

  it('that is garbage, and nothing worse happens', () => {
    const mutated = fc.oneof(...vectors.acts.map((act) => mutationsOf(bytesOfHex(act.record))));
    const shuffled = fc
      .oneof(...vectors.acts.map((act) => mutationsOf(bytesOfHex(act.payload))))
      .map((payload) => encodeCbor([payload, new Uint8Array(64)]));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 60 }), mutated, shuffled), (bytes) =>
        expectOnly('bad-message', () => decodeAct(bytes)),
      ),
      { numRuns: 2_000 },
    );
  });
});
