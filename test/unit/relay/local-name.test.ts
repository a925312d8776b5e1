// The relay's own name on the network: lasting, covered by its certificate, and answered by mDNS.

// x509 finds its parts by decorators, so their polyfill must be loaded before it.
import 'reflect-metadata';
import { createSocket } from 'node:dgram';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { announcement } from '../../../signaling/announcement.ts';
import type { LocalService } from '../../../signaling/local-name.ts';
import { bundleRelay, startProgram } from '../../fixtures/relay-program.ts';
import { ask, authorityOf, temporaryFolder, testRelay, tinyApp } from '../../fixtures/relay-fixture.ts';

const NAME = /^palm-[a-z2-9]{5}\.local$/;

/** Answers to nothing, and keeps what it was asked to answer to. */
function advertising() {
  const services: LocalService[] = [];
  let isStopped = false;
  let fail: (message: string) => void = () => undefined;
  return {
    services,
    isStopped: () => isStopped,
    fail: (message: string) => fail(message),
    advertise: (service: LocalService, onProblem: (message: string) => void) => {
      services.push(service);
      fail = onProblem;
      return {
        stop: async () => {
          isStopped = true;
        },
      };
    },
  };
}

const nameOf = (url: string | undefined): string => new URL(url ?? '').hostname;

describe('the name of a relay', () => {
  test('stays with its data folder, while ports and addresses change', async () => {
    const dataDir = temporaryFolder();
    const { advertise } = advertising();
    const options = { dataDir, advertise, host: '0.0.0.0' };
    const first = await testRelay({ ...options, readMachine: () => ({ names: [], lan: ['192.168.7.7'] }) });
    const name = nameOf(first.named);
    await first.close();
    const second = await testRelay({ ...options, readMachine: () => ({ names: [], lan: ['10.0.0.9'] }) });
    expect(name).toMatch(NAME);
    expect(nameOf(second.named)).toBe(name);
    expect(nameOf((await testRelay({ ...options, dataDir: temporaryFolder() })).named)).not.toBe(name);
  });

  test('is covered by the certificate, and requests may use it', async () => {
    const relay = await testRelay({ host: '0.0.0.0', advertise: advertising().advertise });
    const name = nameOf(relay.named);
    const ca = await authorityOf(relay);
    const headers = { Host: `${name}:${relay.httpsPort}` };
    const answer = await ask(relay, '/ping', { secure: true, ca, servername: name, headers });
    expect(answer).toMatchObject({ status: 200, body: 'palm' });
  });

  test('is answered to with both ports, and given up at the end', async () => {
    const world = advertising();
    const relay = await testRelay({ host: '0.0.0.0', advertise: world.advertise });
    const { httpsPort, httpPort } = relay;
    expect(world.services).toEqual([{ name: nameOf(relay.named), httpsPort, httpPort, address: undefined }]);
    await relay.close();
    expect(world.isStopped()).toBe(true);
  });

  test('is answered to at the one address on which the relay listens', async () => {
    const world = advertising();
    await testRelay({ host: '127.0.0.1', advertise: world.advertise });
    expect(world.services).toEqual([]);
  });

  test('is shown no more once another machine answers to it', async () => {
    const world = advertising();
    const problems: string[] = [];
    const relay = await testRelay({
      host: '0.0.0.0',
      advertise: world.advertise,
      readMachine: () => ({ names: [], lan: ['192.168.7.7'] }),
      onProblem: (message) => problems.push(message),
    });
    const { named = '' } = relay;
    expect(announcement(relay, false)).toContain(named);
    world.fail('Another machine answers to it.');
    expect([relay.named, problems]).toEqual([undefined, ['Another machine answers to it.']]);
    expect(announcement(relay, false)).not.toContain('palm-');
    const page = await ask(relay, '/', { headers: { Host: '192.168.7.7:8080' } });
    expect(page.body).not.toContain('data-named');
  });
});

describe('by mDNS', () => {
  const address = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address;
  let bundle = { folder: '', remove: (): void => undefined };

  beforeAll(async () => {
    bundle = await bundleRelay();
  }, 60_000);

  afterAll(() => bundle.remove());

  // A machine without a network has nobody to answer.
  test.skipIf(address === undefined)(
    'the name leads to an address of this machine',
    async () => {
      const flags = ['--port', '0', '--http-port', '0', '--app', tinyApp(), '--data', temporaryFolder()];
      const program = startProgram(join(bundle.folder, 'main.js'), flags);
      await program.firstLine;
      await expect.poll(() => program.stdout(), { timeout: 10_000 }).toContain('Ctrl-C stops it');
      const [, named] = /By its own name: +(\S+)/.exec(program.stdout()) ?? [];
      const answer = await lookUp(nameOf(named), address ?? '');
      // A record's data stands behind its length (RFC 1035, 3.2.1).
      const data = Buffer.from([0, 4, ...(address ?? '').split('.').map(Number)]);
      expect(answer.includes(data)).toBe(true);
      program.child.kill('SIGINT');
      expect([await program.ended, program.stderr()]).toEqual([0, '']);
    },
    20_000,
  );
});

/**
 * The first answer about `name` on the network of `address`. Asks once a second: the relay
 * first makes sure that nobody else has the name.
 */
async function lookUp(name: string, address: string): Promise<Buffer> {
  const labels = name.split('.').flatMap((label) => [Buffer.of(label.length), Buffer.from(label)]);
  const header = Buffer.from('000000000001000000000000', 'hex');
  // QTYPE A, and QCLASS IN with the bit that asks for a unicast answer (RFC 6762, 5.4).
  const query = Buffer.concat([header, ...labels, Buffer.from('0000018001', 'hex')]);
  const socket = createSocket({ type: 'udp4', reuseAddr: true });
  await new Promise<void>((resolve) => socket.bind(0, resolve));
  socket.setMulticastInterface(address);
  const timer = setInterval(() => socket.send(query, 5353, '224.0.0.251'), 1_000);
  try {
    return await new Promise((resolve) => {
      socket.on('message', (answer) => {
        if (answer.includes(labels[1] ?? '')) resolve(answer);
      });
    });
  } finally {
    clearInterval(timer);
    socket.close();
  }
}
