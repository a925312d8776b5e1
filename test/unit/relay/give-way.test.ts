// A crowd only finds the same choice faster.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, Crowd, type Rank, whoGivesWay } from '../../../signaling/give-way.ts';
import { addressKeyOf } from '../../../signaling/remote-address.ts';

const ADDRESSES = ['10.0.0.1', '10.0.0.2', '10.0.0.3'].map(addressKeyOf);

test('in a crowd the same client gives way as by looking through all', () => {
  const address = fc.constantFrom(...ADDRESSES);
  const kinds = fc.array(fc.record({ address, rank: fc.constantFrom<Rank>(0, 1, 2), stays: fc.boolean() }), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(kinds, address, fc.boolean(), (all, newcomer, onlyOwn) => {
      const crowd = new Crowd<Candidate>();
      const items = all.map((kind, sinceMs) => ({ ...kind, sinceMs }));
      for (const item of items) crowd.add(item);
      for (const item of items) if (!item.stays) crowd.delete(item);
      const left = items.filter((item) => item.stays && (!onlyOwn || item.address === newcomer));
      expect(crowd.whoGivesWay(newcomer, onlyOwn ? newcomer : undefined)).toBe(whoGivesWay(left, newcomer));
    }),
    { numRuns: 1_000 },
  );
});
