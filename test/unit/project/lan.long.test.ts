// The LANs of tests: who reaches whom, and that nothing of them stays.

import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { Lan, type LanHost, whyNoLan } from '../../fixtures/lan.ts';

const reason = whyNoLan();
const PORT = 7_000;
/** Says "up", then answers each connection with "hello". */
const SERVER = `require('net').createServer((socket) => socket.end('hello'))
  .listen(${PORT}, () => console.log('up'))`;
/** Prints what it gets within a second, as long as an ARP question is asked. */
const CLIENT = `const socket = require('net').connect(${PORT}, process.argv[1]);
  socket.on('data', (data) => console.log(String(data)));
  socket.on('error', () => process.exit());
  socket.on('close', () => process.exit());
  setTimeout(() => socket.destroy(), 1000);`;

let lan: Lan | undefined;
afterEach(() => lan?.close());

function newLan(): Lan {
  lan = new Lan();
  return lan;
}

async function serve(host: LanHost): Promise<void> {
  const { stdout } = host.spawn(process.execPath, ['-e', SERVER], { stdio: ['ignore', 'pipe', 'inherit'] });
  if (stdout === null) throw new Error('stdout is a pipe');
  await once(stdout, 'data');
}

function reaches(from: LanHost, to: { readonly address: string }): boolean {
  return from.run(process.execPath, ['-e', CLIENT, to.address]).output.includes('hello');
}

describe.skipIf(reason !== undefined)(
  `a LAN of namespaces${reason === undefined ? '' : `: ${reason}`}`,
  () => {
    test('isolated hosts reach others, but not each other', async () => {
      const net = newLan();
      const [relay, one, two] = [net.addHost('relay'), net.addHost('one'), net.addHost('two')];
      one.isolate();
      two.isolate();
      await serve(relay);
      await serve(two);
      expect([reaches(one, relay), reaches(two, relay)]).toEqual([true, true]);
      expect([reaches(one, two), reaches(relay, two)]).toEqual([false, true]);
      two.isolate(false);
      expect(reaches(one, two)).toBe(true);
    });

    test('a host whose plug is pulled reaches nobody until it is back', async () => {
      const net = newLan();
      const [one, two] = [net.addHost('one'), net.addHost('two')];
      await serve(two);
      two.cut();
      expect(reaches(one, two)).toBe(false);
      two.mend();
      expect(reaches(one, two)).toBe(true);
    });

    test('a host of two LANs hands nothing on between them', async () => {
      const net = newLan();
      const guests = new Lan();
      try {
        const [relay, one, guest] = [net.addHost('relay'), net.addHost('one'), guests.addHost('guest')];
        const second = guests.join(relay);
        await serve(relay);
        await serve(one);
        expect([reaches(guest, second), reaches(one, relay), reaches(guest, one)]).toEqual([
          true,
          true,
          false,
        ]);
      } finally {
        guests.close();
      }
    });

    test('closing ends what ran, and leaves nothing', async () => {
      const net = newLan();
      const host = net.addHost('one');
      const program = host.spawn('sleep', ['1000']);
      const ended = once(program, 'exit');
      const file = host.wrapper('/bin/echo');
      expect(spawnSync(file, ['it', 'runs'], { encoding: 'utf8' }).stdout).toBe('it runs\n');
      host.limit(10);
      net.close();
      await ended;
      expect(spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout).not.toContain(host.namespace);
      expect(spawnSync(file).error).toMatchObject({ code: 'ENOENT' });
    });
  },
);
