// The relay's own name on the network: lasting, covered by its certificate, and answered by mDNS.

// x509 finds its parts by decorators, so their polyfill must be loaded before it.
import 'reflect-metadata';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { announcement } from '../../../signaling/announcement.ts';
import { readCommandLine } from '../../../signaling/command-line.ts';
import { createAuthority, createLeaf, toPem } from '../../../signaling/certificates.ts';
import type { LocalService, NameEvents } from '../../../signaling/local-name.ts';
import { bundleRelay, startProgram } from '../../fixtures/relay-program.ts';
import { ask, authorityOf, temporaryFolder, testRelay, tinyApp } from '../../fixtures/relay-fixture.ts';

const NAME = /^palm-[a-z2-9]{5}\.local$/;

/** Answers to nothing, and keeps what it was asked to answer to. `others`: names of other machines. */
function advertising(others: readonly string[] = []) {
  const services: LocalService[] = [];
  const stopped: string[] = [];
  let latest: NameEvents | undefined;
  return {
    services,
    stopped,
    names: () => services.map(({ name }) => name),
    isStopped: () => stopped.length === services.length,
    take: () => latest?.taken(),
    advertise: (service: LocalService, events: NameEvents) => {
      services.push(service);
      latest = events;
      queueMicrotask(others.includes(service.name) ? events.taken : events.own);
      return {
        stop: async () => {
          if (!stopped.includes(service.name)) stopped.push(service.name);
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
    world.take();
    expect(relay.named).toBeUndefined();
    expect(problems).toEqual([expect.stringContaining(`Another machine answers to ${nameOf(named)}`)]);
    expect(announcement(relay, false)).not.toContain('palm-');
    const page = await ask(relay, '/', { headers: { Host: '192.168.7.7:8080' } });
    expect(page.body).not.toContain('data-named');
  });
});

describe('a chosen name', () => {
  const HOST = { host: '0.0.0.0', readMachine: () => ({ names: [], lan: ['192.168.7.7'] }) };

  test('is answered to and covered, by the authority of before, and stays without being asked for again', async () => {
    const dataDir = temporaryFolder();
    const plain = await testRelay({ ...HOST, dataDir, advertise: advertising().advertise });
    const [own, ca] = [nameOf(plain.named), await authorityOf(plain)];
    await plain.close();
    for (const name of ['kitchen.local', undefined]) {
      const world = advertising();
      const relay = await testRelay({ ...HOST, dataDir, advertise: world.advertise, name });
      expect(nameOf(relay.named)).toBe('kitchen.local');
      // Devices that opened the name of before keep what they have there.
      expect(world.names()).toEqual(['kitchen.local', own]);
      expect(await authorityOf(relay)).toBe(ca);
      for (const servername of ['kitchen.local', own]) {
        const headers = { Host: `${servername}:${relay.httpsPort}` };
        expect(await ask(relay, '/ping', { secure: true, ca, servername, headers })).toMatchObject({
          status: 200,
        });
      }
      await relay.close();
      expect(world.isStopped()).toBe(true);
    }
  });

  test('that another machine has gives way to the next one, which is said, covered and kept', async () => {
    const dataDir = temporaryFolder();
    const problems: string[] = [];
    const world = advertising(['kitchen.local', 'kitchen-2.local']);
    const options = { ...HOST, dataDir, onProblem: (message: string) => problems.push(message) };
    const relay = await testRelay({ ...options, advertise: world.advertise, name: 'kitchen.local' });
    expect(nameOf(relay.named)).toBe('kitchen-3.local');
    expect(problems).toEqual([
      'Another machine answers to kitchen.local and kitchen-2.local, so this relay is kitchen-3.local.',
    ]);
    expect(world.stopped).toEqual(['kitchen.local', 'kitchen-2.local']);
    const ca = await authorityOf(relay);
    const at = { secure: true, ca, servername: 'kitchen-3.local' };
    const headers = { Host: `kitchen-3.local:${relay.httpsPort}` };
    expect(await ask(relay, '/ping', { ...at, headers })).toMatchObject({ status: 200 });
    await relay.close();
    // The other machine is away now; devices have their storage at the third name all the same.
    const again = await testRelay({ ...options, advertise: advertising().advertise, name: 'kitchen.local' });
    expect(nameOf(again.named)).toBe('kitchen-3.local');
  });

  test('that was this relay’s is never exchanged for another by itself', async () => {
    const dataDir = temporaryFolder();
    const options = { ...HOST, dataDir };
    const first = await testRelay({ ...options, advertise: advertising().advertise, name: 'kitchen.local' });
    await first.close();
    const problems: string[] = [];
    const world = advertising(['kitchen.local']);
    const onProblem = (message: string) => problems.push(message);
    const relay = await testRelay({ ...options, onProblem, advertise: world.advertise });
    expect([relay.named, world.names()]).toEqual([undefined, ['kitchen.local']]);
    expect(problems).toEqual([expect.stringContaining('Another machine answers to kitchen.local.')]);
  });

  test('takes the place of another one, which is answered to still and never exchanged either', async () => {
    const dataDir = temporaryFolder();
    for (const name of ['attic.local', 'kitchen.local', 'attic.local']) {
      const world = advertising();
      const relay = await testRelay({ ...HOST, dataDir, advertise: world.advertise, name });
      expect(nameOf(relay.named)).toBe(name);
      await relay.close();
      if (name === 'kitchen.local') expect(world.names()).toEqual(['kitchen.local', 'attic.local']);
    }
    const world = advertising(['kitchen.local']);
    await testRelay({ ...HOST, dataDir, advertise: world.advertise, name: 'kitchen.local' });
    expect(world.names()).toEqual(['kitchen.local', 'attic.local']);
  });

  test.each([
    '{',
    '{"asked":"kitchen.local"}',
    '{"asked":"a.local","name":"b.local","isOwn":true,"before":[]}',
  ])('that cannot be read any more stops the start: %s', async (text) => {
    const dataDir = temporaryFolder();
    writeFileSync(join(dataDir, 'name.json'), text);
    await expect(testRelay({ ...HOST, dataDir })).rejects.toThrow(/does not hold the relay's name any more/);
  });
});

describe('--name', () => {
  const read = (name: string, given = false) =>
    readCommandLine([`--name=${name}`, ...(given ? ['--cert', 'a', '--key', 'b'] : [])]);

  test.each([
    ['kitchen', 'kitchen.local'],
    ['Kitchen.LOCAL.', 'kitchen.local'],
    ['a'.repeat(60), `${'a'.repeat(60)}.local`],
  ])('%s', (text, name) => {
    expect(read(text)).toMatchObject({ name });
  });

  test.each([
    ['küche', /letters from a to z/],
    ['my kitchen', /letters from a to z/],
    ['-kitchen', /letters from a to z/],
    ['my.kitchen.local', /letters from a to z/],
    ['.local', /letters from a to z/],
    ['a'.repeat(61), /too long: at most 60/],
    ['192.168.1.2', /is an address/],
    ['::1', /is an address/],
    ['localhost', /every machine itself/],
    ['palm.example.org', /needs --cert and --key/],
    ['', /needs a value/],
  ])('is not %s', (text, why) => {
    expect(() => read(text)).toThrow(why);
  });

  test('is of a domain only with a certificate', () => {
    expect(read('Palm.Müller.example', true)).toMatchObject({ name: 'palm.xn--mller-kva.example' });
    expect(() => read('palm..example', true)).toThrow(/is no name of a machine/);
  });

  test('lets a wildcard serve a name that it is for, and none that it is not for', async () => {
    const folder = temporaryFolder();
    const authority = await createAuthority(Date.now(), ['home.example']);
    const leaf = await createLeaf(Date.now(), authority, ['*.home.example']);
    const certificate = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    writeFileSync(certificate.cert, leaf.certificate.toString('pem'));
    writeFileSync(certificate.key, (await toPem(leaf)).split('-----BEGIN CERTIFICATE-----')[0] ?? '');
    const relay = await testRelay({ certificate, name: 'palm.home.example' });
    expect(relay.lan[0]).toBe(`https://palm.home.example:${relay.httpsPort}/`);
    expect((await ask(relay, '/ping', { headers: { Host: 'palm.home.example' } })).status).toBe(200);
    await expect(testRelay({ certificate, name: 'palm.example.org' })).rejects.toThrow(
      /is not for palm\.example\.org \(--name\)\. It is for DNS:\*\.home\.example\./,
    );
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
