// Which clients count as one, which give way, and that the numbers keep what their derivations say.

import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, whoGivesWay } from '../../../signaling/give-way.ts';
import { PerAddress } from '../../../signaling/per-address.ts';
import { DEFAULT_RELAY_LIMITS as LIMITS } from '../../../signaling/relay-limits.ts';
import { addressKeyOf } from '../../../signaling/remote-address.ts';
import { SCHOOL } from '../../fixtures/relay-school.ts';

test.each([
  ['192.168.1.2', '192.168.1.2'],
  ['::ffff:192.168.1.2', '192.168.1.2'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['64:ff9b::10.0.0.1', '64:ff9b:0:0::/64'],
])('%s counts as %s', (address, key) => {
  expect(addressKeyOf(address)).toBe(key);
});

test('a school has room under every limit per address, and addresses together have several times that', () => {
  expect(LIMITS.connectionsPerAddress).toBeGreaterThanOrEqual(SCHOOL.connections);
  expect(LIMITS.connectionBurst).toBeGreaterThanOrEqual(2 * SCHOOL.connections);
  expect(LIMITS.clientsPerAddress).toBeGreaterThanOrEqual(2 * SCHOOL.sockets);
  expect(LIMITS.roomClientsPerAddress).toBeGreaterThanOrEqual(SCHOOL.sockets);
  expect(LIMITS.roomsPerAddress).toBeGreaterThanOrEqual(SCHOOL.sockets);
  expect(LIMITS.connections).toBeGreaterThanOrEqual(6 * LIMITS.connectionsPerAddress);
  expect(LIMITS.clients).toBeGreaterThanOrEqual(8 * LIMITS.clientsPerAddress);
  expect(LIMITS.rooms).toBeGreaterThanOrEqual(8 * LIMITS.roomsPerAddress);
  expect(LIMITS.roomClients).toBeGreaterThanOrEqual(2 * LIMITS.roomClientsPerAddress);
});

test('nobody is displaced for an address that would then have more than theirs weighs', () => {
  const addresses = ['10.0.0.1', '10.0.0.2', '10.0.0.3', '10.0.0.4'].map(addressKeyOf);
  const candidate: fc.Arbitrary<Candidate> = fc.record({
    address: fc.constantFrom(...addresses),
    rank: fc.constantFrom(0 as const, 1 as const, 2 as const),
    sinceMs: fc.nat(100),
  });
  fc.assert(
    fc.property(
      fc.array(candidate, { maxLength: 40 }),
      fc.constantFrom(...addresses),
      (candidates, newcomer) => {
        const count = (address: string) => candidates.filter((each) => each.address === address).length;
        const displaced = whoGivesWay(candidates, newcomer);
        const heaviest = Math.max(0, ...candidates.map(({ address }) => count(address)));
        // An address with more than four times as many always gives way, whatever its members proved.
        if (heaviest > 4 * (count(newcomer) + 1)) expect(displaced).toBeDefined();
        if (displaced === undefined || displaced.address === newcomer) return;
        expect(count(displaced.address)).toBeGreaterThan(count(newcomer));
      },
    ),
  );
});

test('what is kept for an address is bounded, and forgotten once it is silent', () => {
  const entries = new PerAddress(3, () => ({
    isUsed: () => false,
    isSpent: () => true,
  }));
  for (let index = 0; index < 100; index += 1) {
    entries.get(addressKeyOf(`10.0.0.${index}`), 0);
    expect(entries.size).toBeLessThanOrEqual(3);
  }
  entries.sweep(0);
  expect(entries.size).toBe(0);
  const used = new PerAddress(3, () => ({ isUsed: () => true, isSpent: () => true }));
  const first = used.get(addressKeyOf('10.0.0.1'), 0);
  for (let index = 2; index < 10; index += 1) used.get(addressKeyOf(`10.0.0.${index}`), 0);
  used.sweep(0);
  expect(used.get(addressKeyOf('10.0.0.1'), 0)).toBe(first);
});
