// What the record says of acts: whom they are about, why, and what they undo.

import { expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { actItem } from '../../../../src/runtime/record/act-item.ts';
import { recordText } from '../../../../src/ui/text/en/record.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';
import { charterBy, following, writeAct } from '../../../fixtures/signed-acts.ts';

it('says why a device was shut out, and how many of its acts were undone', async () => {
  const [founder, lost] = [deviceAt(0), deviceAt(1)];
  const acts = following(await charterBy(founder, [lost]));
  const grant = await writeAct(founder, acts, {
    kind: 'grant',
    as: 0,
    device: lost.deviceId,
    role: 'admin',
    rank: 1,
    after: undefined,
  });
  acts.add([grant]);
  const shutOut = await writeAct(founder, acts, {
    kind: 'shut-out',
    as: 0,
    device: lost.deviceId,
    last: undefined,
    undone: [grant.record.id],
    reason: 'stolen\u0007 in Brno',
  });
  acts.add([shutOut]);
  const ports = { catalogue: new Catalogue(), acts, cryptography: webCryptography };
  const item = await actItem(shutOut, ports);
  expect(item).toMatchObject({ kind: 'shut-out', counts: true, undone: 1, reason: 'stolen\u0007 in Brno' });
  expect(recordText(item)).toMatch(/out of the pool: “stolen⟦U\+0007⟧ in Brno”, and undid 1 act of before$/);
  const plain = await actItem(grant, ports);
  expect(plain).not.toHaveProperty('undone');
  expect(recordText(plain)).toMatch(/an admin$/);
});
