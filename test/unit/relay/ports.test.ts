// The relay's ports: a browser keeps a pool's files under an address with its port.

import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Relay, RelayOptions } from '../../../signaling/relay.ts';
import { parsePoolId } from '../../../src/core/model/ids.ts';
import type { ClientFrame } from '../../../src/core/wire/relay-protocol.ts';
import { RelayClient, temporaryFolder, testRelay } from '../../fixtures/relay-fixture.ts';
import { freePort } from '../../fixtures/relay-program.ts';

/** Starts a relay as people do, without a port for https. */
async function start(
  dataDir: string,
  options: Partial<RelayOptions> = {},
): Promise<{ relay: Relay; said: string[] }> {
  const said: string[] = [];
  const relay = await testRelay({
    dataDir,
    port: undefined,
    onProblem: (message) => said.push(message),
    ...options,
  });
  return { relay, said };
}

/** A device of a pool; or one of none, which only looks whether there is a nearby pool. */
async function come(client: RelayClient, frame: ClientFrame): Promise<void> {
  await client.opened();
  client.send(frame);
  await client.next();
}

const OF_A_POOL = { kind: 'enter', room: parsePoolId('a'.repeat(32)) } as const;

/** A data folder of a relay that listened on a free port, which `served` a pool or not. */
async function usedFolder({
  served,
}: {
  readonly served: boolean;
}): Promise<{ dataDir: string; port: number }> {
  const [dataDir, port] = [temporaryFolder(), await freePort()];
  const { relay, said } = await start(dataDir, { port });
  expect(said).toEqual([]);
  const client = new RelayClient(`wss://localhost:${port}/relay`, { rejectUnauthorized: false });
  await come(client, served ? OF_A_POOL : { kind: 'look' });
  await relay.close();
  return { dataDir, port };
}

async function take(port: number): Promise<void> {
  const server = createServer().listen(port);
  onTestFinished(() => void server.close());
  await once(server, 'listening');
}

test('the port of the last time is used again', async () => {
  const { dataDir, port } = await usedFolder({ served: true });
  const { relay, said } = await start(dataDir);
  expect([relay.httpsPort, said]).toEqual([port, []]);
});

test('where it is taken and no pool was served, another one is, and that is said loudly', async () => {
  const { dataDir, port } = await usedFolder({ served: false });
  await take(port);
  const { relay, said } = await start(dataDir);
  expect(relay.httpsPort).toBeGreaterThan(port);
  expect(said).toEqual([
    expect.stringMatching(`^ATTENTION: port ${port} is taken.*at port ${relay.httpsPort} instead`),
  ]);
  await relay.close();
  expect((await start(dataDir)).relay.httpsPort).toBe(relay.httpsPort);
});

test('where it is taken and a pool was served there, the relay does not start, unless told', async () => {
  const { dataDir, port } = await usedFolder({ served: true });
  await take(port);
  await expect(start(dataDir)).rejects.toThrow(
    expect.objectContaining({
      name: 'StartError',
      message: expect.stringMatching(`^Port ${port} is taken.*A pool was served at this port.*--port PORT`),
    }),
  );
  const told = await freePort();
  const { relay, said } = await start(dataDir, { port: told });
  expect([relay.httpsPort, said]).toEqual([told, []]);
});

test('the port for this machine, which is another address with a storage of its own, is kept alike', async () => {
  const [dataDir, httpPort] = [temporaryFolder(), await freePort()];
  const { relay } = await start(dataDir, { port: 0, httpPort });
  await come(new RelayClient(`ws://localhost:${httpPort}/relay`), OF_A_POOL);
  await relay.close();
  expect(JSON.parse(readFileSync(join(dataDir, 'ports.json'), 'utf8'))).toEqual({
    http: { port: httpPort, poolServed: true },
  });
  await take(httpPort);
  await expect(start(dataDir, { port: 0, httpPort: undefined })).rejects.toThrow('--http-port PORT');
});

test('a note of ports that cannot be read is none, and one that cannot be written is told', async () => {
  const [dataDir, port] = [temporaryFolder(), await freePort()];
  writeFileSync(join(dataDir, 'ports.json'), '{"https":{"port":70000}}');
  const { relay, said } = await start(dataDir, { port });
  expect([relay.httpsPort, said]).toEqual([port, []]);
});
