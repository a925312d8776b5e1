// Relays and those who look for them on hosts of a LAN, by mDNS as desktops have it: the name leads to the
// relay, wherever that is now, and two relays never have the same.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Lan, type LanHost, whyNoNames } from '../../fixtures/lan.ts';
import { tinyApp } from '../../fixtures/relay-fixture.ts';
import { bundleRelay, startProgram } from '../../fixtures/relay-program.ts';

const reason = whyNoNames();
const LONGEST_MS = 120_000;
/** The library looks at the interfaces four times a minute. */
const POLL = { timeout: 40_000, interval: 500 };

let bundle = { folder: '', remove: (): void => undefined };
let lan: Lan | undefined;
const folder = mkdtempSync(join(tmpdir(), 'palm-names-'));

beforeAll(async () => {
  bundle = await bundleRelay();
}, 60_000);
afterEach(() => lan?.close());
afterAll(() => {
  bundle.remove();
  rmSync(folder, { recursive: true, force: true });
});

function newLan(): Lan {
  lan = new Lan();
  return lan;
}

/** A relay on `host`, by the name that it says it has. */
async function relayOn(host: LanHost, data: string, ...flags: string[]) {
  const own = [
    '--port',
    '8443',
    '--http-port',
    '0',
    '--no-turn',
    '--app',
    tinyApp(),
    '--data',
    join(folder, data),
  ];
  const program = startProgram(join(bundle.folder, 'main.js'), [...own, ...flags], [], (...start) =>
    host.spawn(...start),
  );
  await expect.poll(() => program.stdout(), POLL).toContain('Ctrl-C stops it');
  const [, name = ''] = /By its own name: +https:\/\/([^:]+)/.exec(program.stdout()) ?? [];
  return { ...program, name };
}

/** The address that a program of `host` finds; '' for none. */
function lookUp(host: LanHost, name: string): string {
  return host.run('getent', ['ahostsv4', name]).output.split(' ')[0] ?? '';
}

describe.skipIf(reason !== undefined)(`names on a LAN${reason === undefined ? '' : `: ${reason}`}`, () => {
  test(
    'a chosen name leads to its relay, also at another address, and to none once it ended',
    async () => {
      const net = newLan();
      const [router, laptop] = [net.addHost('relay'), net.addHost('laptop')];
      await laptop.findNames();
      const relay = await relayOn(router, 'moving', '--name', 'kitchen');
      expect(relay.name).toBe('kitchen.local');
      expect(lookUp(laptop, 'kitchen.local')).toBe(router.address);

      const moved = router.readdress();
      await expect.poll(() => relay.stdout(), POLL).toContain(`https://${moved}:8443/`);
      await expect.poll(() => lookUp(laptop, 'kitchen.local'), POLL).toBe(moved);

      relay.child.kill('SIGINT');
      expect([await relay.ended, relay.stderr()]).toEqual([0, '']);
      // What said goodbye may be remembered for a second (RFC 6762, section 10.1).
      await expect.poll(() => lookUp(laptop, 'kitchen.local'), POLL).toBe('');
    },
    LONGEST_MS,
  );

  test(
    'of two relays that are to be called the same, the second takes the next name, and keeps it',
    async () => {
      const net = newLan();
      const [first, second, laptop] = [net.addHost('one'), net.addHost('two'), net.addHost('laptop')];
      await laptop.findNames();
      const one = await relayOn(first, 'one', '--name', 'kitchen');
      const two = await relayOn(second, 'two', '--name', 'kitchen');
      expect([one.name, two.name]).toEqual(['kitchen.local', 'kitchen-2.local']);
      expect(two.stderr()).toContain(
        'Another machine answers to kitchen.local, so this relay is kitchen-2.local.',
      );
      expect([lookUp(laptop, one.name), lookUp(laptop, two.name)]).toEqual([first.address, second.address]);

      for (const relay of [one, two]) {
        relay.child.kill('SIGINT');
        expect(await relay.ended).toBe(0);
      }
      expect((await relayOn(second, 'two')).name).toBe('kitchen-2.local');
    },
    LONGEST_MS,
  );

  test(
    'a name is not taken for its own where nobody could object yet',
    async () => {
      const net = newLan();
      const [first, second] = [net.addHost('one'), net.addHost('two')];
      await relayOn(first, 'there', '--name', 'attic');
      second.ip('link', 'set', 'eth0', 'down');
      const two = await relayOn(second, 'late', '--name', 'attic');
      two.child.kill('SIGINT');
      await two.ended;
      second.ip('link', 'set', 'eth0', 'up');
      expect((await relayOn(second, 'late')).name).toBe('attic-2.local');
    },
    LONGEST_MS,
  );
});
