// Relays of this network: what strangers say is checked, and a relay that is there is found.

import { networkInterfaces } from 'node:os';
import { expect, it } from 'vitest';
import { advertiseByMdns } from '../../../signaling/mdns.ts';
import { browse, relaysOf } from '../../../src/cli/commands/discover-command.ts';

const NAME = 'palm-abcde.local';

it('lists each relay once, with all of its addresses', () => {
  const told = [
    { host: `${NAME}.`, port: 8443, addresses: ['192.168.1.2'] },
    { host: 'PALM-ABCDE.local', port: 8443, addresses: ['fe80::1', '192.168.1.2'] },
    { host: 'kitchen.local', port: 443, addresses: [] },
  ];
  expect(relaysOf(told)).toEqual([
    { name: 'kitchen.local', url: 'https://kitchen.local/', addresses: [] },
    { name: NAME, url: `https://${NAME}:8443/`, addresses: ['192.168.1.2', 'fe80::1'] },
  ]);
});

it.each([
  ['a name that no mDNS gives', { host: 'relay.example.org', port: 8443 }],
  ['two labels', { host: 'my.relay.local', port: 8443 }],
  ['what a terminal would obey', { host: 'palm-abcde.local\u001B[2J', port: 8443 }],
  ['a name within a name', { host: 'palm-abcde.local.evil.test', port: 8443 }],
  ['no port', { host: NAME, port: 0 }],
  ['a port that is none', { host: NAME, port: 1e9 }],
])('leaves out %s', (_, told) => {
  expect(relaysOf([told])).toEqual([]);
});

it('takes no addresses that are none, and bounds how many', () => {
  const many = Array.from({ length: 100 }, (_, at) => `10.0.0.${at}`);
  const [relay] = relaysOf([{ host: NAME, port: 1, addresses: ['evil.test/', ...many] }]);
  expect(relay?.addresses).toEqual(many.slice(0, 8));
  const digits = 'abcdefghjk';
  const crowd = Array.from({ length: 1_000 }, (_, at) => {
    const name = String(at)
      .padStart(5, '0')
      .replaceAll(/\d/gu, (digit) => digits[Number(digit)] ?? '');
    return { host: `palm-${name}.local`, port: 1 };
  });
  expect(relaysOf(crowd).length).toBe(64);
});

const hasNetwork = Object.values(networkInterfaces()).some((all) => all?.some(({ internal }) => !internal));

// Without a network no mDNS passes: a test machine may have none.
it.runIf(hasNetwork)('finds a relay that answers to its name', { timeout: 20_000 }, async () => {
  const problems: string[] = [];
  const advertisement = advertiseByMdns(
    { name: 'palm-qqqqq.local', httpsPort: 8443, httpPort: 8080, address: undefined },
    {
      own: () => undefined,
      taken: () => problems.push('taken'),
      problem: (message) => problems.push(message),
    },
  );
  const ending = new AbortController();
  try {
    const isFound = (told: Parameters<typeof relaysOf>[0]): boolean =>
      relaysOf(told).some(({ name, addresses }) => name === 'palm-qqqqq.local' && addresses.length > 0);
    const told = await browse(15_000, ending.signal, isFound);
    expect({ found: isFound(told), problems }).toEqual({ found: true, problems: [] });
  } finally {
    await advertisement.stop();
  }
});
