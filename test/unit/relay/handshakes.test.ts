// Which connection begins a TLS handshake, over real sockets. The handshake itself does not matter here.

import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Handshakes } from '../../../signaling/handshakes.ts';
import { addressKeyOf } from '../../../signaling/remote-address.ts';

const LIMITS = { handshakes: 4, handshakesPerAddress: 3, handshakeMs: 5_000, handshakePatienceMs: 5_000 };

class World {
  readonly handshakes: Handshakes;
  readonly begun: string[] = [];
  readonly #server: Server = createServer({ pauseOnConnect: false });
  readonly #clients: Socket[] = [];

  constructor(limits: typeof LIMITS) {
    this.handshakes = new Handshakes(limits);
    onTestFinished(() => {
      for (const client of this.#clients) client.destroy();
      this.#server.close();
    });
  }

  /** Opens a connection that counts under `address`; sends something if `speaks`. */
  async open(address: string, key: string, speaks = true): Promise<{ client: Socket; accepted: Socket }> {
    if (!this.#server.listening) await once(this.#server.listen(0, '127.0.0.1'), 'listening');
    const place = this.#server.address();
    if (place === null || typeof place === 'string') throw new Error('The server has no port.');
    const connection = once(this.#server, 'connection');
    const client = connect(place.port, '127.0.0.1').on('error', () => undefined);
    this.#clients.push(client);
    const [accepted]: Socket[] = await connection;
    if (accepted === undefined) throw new Error('Nothing was accepted.');
    this.handshakes.add(addressKeyOf(address), key, accepted, () => this.begun.push(key));
    if (speaks) client.write('hello');
    return { client, accepted };
  }
}

test('a silent connection begins nothing, and is cut in time', async () => {
  const world = new World({ ...LIMITS, handshakeMs: 50 });
  const { accepted } = await world.open('10.0.0.1', 'silent', false);
  await once(accepted, 'close');
  expect(world.begun).toEqual([]);
});

test('a connection that ends before its turn is dropped', async () => {
  const world = new World(LIMITS);
  const { client, accepted } = await world.open('10.0.0.1', 'gone', false);
  client.end();
  await once(accepted, 'close');
  expect(world.begun).toEqual([]);
});

test('an address begins no more than its bound, and the next once one is done', async () => {
  const world = new World(LIMITS);
  for (const key of ['a', 'b', 'c', 'd']) await world.open('10.0.0.1', key);
  await expect.poll(() => world.begun).toEqual(['a', 'b', 'c']);
  await world.open('10.0.0.2', 'other');
  await expect.poll(() => world.begun).toEqual(['a', 'b', 'c', 'other']);
  world.handshakes.finish('b');
  await expect.poll(() => world.begun).toEqual(['a', 'b', 'c', 'other', 'd']);
});

test('when all places are taken, the oldest of the address with most gives way immediately', async () => {
  const world = new World(LIMITS);
  const first = await world.open('10.0.0.1', 'a');
  await world.open('10.0.0.1', 'b');
  await world.open('10.0.0.1', 'c');
  await world.open('10.0.0.2', 'other');
  await expect.poll(() => world.begun).toHaveLength(4);
  const closed = once(first.accepted, 'close');
  await world.open('10.0.0.3', 'newcomer');
  await closed;
  await expect.poll(() => world.begun).toContain('newcomer');
});

test('a begun handshake of an address with no more than the newcomer gives way after its time', async () => {
  const world = new World({ ...LIMITS, handshakes: 1, handshakePatienceMs: 200 });
  const startedMs = performance.now();
  const { accepted } = await world.open('10.0.0.1', 'slow');
  await expect.poll(() => world.begun).toEqual(['slow']);
  const closed = once(accepted, 'close');
  await world.open('10.0.0.2', 'next');
  await closed;
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(200);
  await expect.poll(() => world.begun).toEqual(['slow', 'next']);
});
