// Invites as members hear of them: golden vectors, entries that carry them, and what does not open.

import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { decodeEntry } from '../../../../src/core/catalogue/entry.ts';
import { openLiveInvite, sealLiveInvite } from '../../../../src/core/catalogue/live-invite.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { parsePoolId } from '../../../../src/core/model/ids.ts';
import vectors from '../../../vectors/invite.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, expectRejects, write } from '../../../fixtures/pool-fixture.ts';

describe('an invite that members are told of', () => {
  it.each(vectors.tickets)(
    'is sealed as the golden vector of $uses uses',
    async ({ ticket, waiting, live }) => {
      const [key, pool] = [bytesOfHex(live.catalogueKey), parsePoolId(live.pool)];
      const sealed = bytesOfHex(live.sealed);
      const invite = await openLiveInvite(sealed, [seededBytes(32, 1), key], pool, webCryptography);
      expect([hexOf(invite.ticket.bytes), hexOf(invite.waitingKey)]).toEqual([ticket, waiting]);
      const again = await sealLiveInvite(invite, key, pool, bytesOfHex(live.nonce), webCryptography);
      expect(hexOf(again)).toBe(live.sealed);
      const other = parsePoolId('00'.repeat(16));
      await expectRejects('bad-message', openLiveInvite(sealed, [key], other, webCryptography));
      await expectRejects('bad-message', openLiveInvite(sealed.slice(1), [key], pool, webCryptography));
    },
  );

  it('is found in the catalogue, and gone from it with its entry', () => {
    const catalogue = new Catalogue();
    const sealed = seededBytes(300, 2);
    write(catalogue, deviceAt(0), 1, { kind: 'profile', name: 'Ann' });
    write(catalogue, deviceAt(0), 2, { kind: 'live-invite', sealed });
    const found = Array.from(catalogue.liveInvites, ({ bytes }) => decodeEntry(bytes).body);
    expect(found).toEqual([{ kind: 'live-invite', sealed }]);
    catalogue.tell(1_000_000);
    catalogue.tell(0); // the clock was set back: everything is read again
    expect(catalogue.liveInvites.size).toBe(1);
  });
});
