// The relay as a program: its flags, its output, its ports, and how it ends.

import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { announcement } from '../../../signaling/announcement.ts';
import { readCommandLine } from '../../../signaling/command-line.ts';
import { listen } from '../../../signaling/listen.ts';
import { startRelay } from '../../../signaling/relay.ts';
import { RELAY_CLOSE } from '../../../src/core/wire/relay-protocol.ts';
import { bundleRelay, freePort, startProgram } from '../../fixtures/relay-program.ts';
import { RelayClient, ROOM_A, temporaryFolder, testRelay, tinyApp } from '../../fixtures/relay-fixture.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
let bundle = { folder: '', remove: (): void => undefined };

beforeAll(async () => {
  bundle = await bundleRelay();
}, 60_000);

afterAll(() => bundle.remove());

function start(...flags: string[]) {
  return startProgram(join(bundle.folder, 'main.js'), flags);
}

/** Flags for a relay that touches nothing outside temporary folders. */
function sandbox(): string[] {
  return ['--app', tinyApp(), '--data', temporaryFolder()];
}

/** Holds a port as another program would. */
async function takenPort(): Promise<number> {
  return portOf(await listeningServer(0));
}

function portOf(server: Server): number {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The server has no port.');
  return address.port;
}

async function listeningServer(port: number): Promise<Server> {
  const server = createServer();
  server.listen(port);
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return server;
}

describe('the program', () => {
  test('--json prints one line, the documented one, and nothing else', async () => {
    const program = start('--json', '--port', '0', '--http-port', '0', ...sandbox());
    const line = await program.firstLine;
    const { app, lan, ...rest }: { app: string; lan: string[] } = JSON.parse(line);
    expect(rest).toEqual({});
    expect(app).toMatch(/^http:\/\/localhost:\d+\/$/);
    // Addresses, or the machine's name where the network gave it public ones.
    for (const url of lan) expect(url).toMatch(/^https:\/\/(\d+\.\d+\.\d+\.\d+|[a-z0-9-]+\.local):\d+\/$/);
    expect(await (await fetch(`${app}ping`)).text()).toBe('palm');
    expect(await (await fetch(app)).text()).toContain('Tiny');
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
    expect(program.stdout()).toBe(`${line}\n`);
    expect(program.stderr()).toBe('');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s notifies the clients, and ends it with code 0',
    async (signal) => {
      const program = start('--json', '--port', '0', '--http-port', '0', ...sandbox());
      const { app }: { app: string } = JSON.parse(await program.firstLine);
      const client = new RelayClient(`${app.replace('http', 'ws')}relay`);
      await client.opened();
      client.send({ kind: 'enter', room: ROOM_A });
      expect((await client.next()).kind).toBe('entered');
      program.child.kill(signal);
      expect(await client.closed).toEqual(RELAY_CLOSE.goingAway);
      expect(await program.ended).toBe(0);
    },
  );

  test('tells people its address and how to stop it', async () => {
    const program = start('--port', '0', '--http-port', '0', '--host', '127.0.0.1', ...sandbox());
    expect(await program.firstLine).toBe('Palm is running.');
    program.child.kill('SIGINT');
    expect(await program.ended).toBe(0);
    expect(program.stdout()).toContain('http://localhost:');
    expect(program.stdout()).toContain('Ctrl-C stops it.');
  });

  test('a requested port that is taken: advice, and code 1', async () => {
    const port = await takenPort();
    for (const flag of ['--port', '--http-port']) {
      const other = flag === '--port' ? '--http-port' : '--port';
      const program = start('--json', flag, String(port), other, '0', ...sandbox());
      expect(await program.ended).toBe(1);
      expect(program.stdout()).toBe('');
      expect(program.stderr()).toContain(`Port ${port} is taken`);
      expect(program.stderr()).toContain(`${flag} PORT`);
      expect(program.stderr()).not.toContain('    at '); // no stack for people
    }
  });

  test.each([
    [['--port', '70000'], '--port takes a number'],
    [['--http-port', '-1'], '--http-port'],
    [['--colour'], '--help'],
    [['somewhere'], '--help'],
    [['--host', 'example.com'], 'not an address'],
    [['--host', '203.0.113.77'], 'not an address of this machine'],
    [['--app', join(ROOT, 'nowhere')], 'npm run build'],
  ])('%s: %s', async (flags, message) => {
    const defaults = flags[0] === '--app' ? ['--data', temporaryFolder()] : sandbox();
    const ports = flags[0]?.endsWith('port') === true ? [] : ['--port', '0', '--http-port', '0'];
    const program = start(...defaults, ...ports, ...flags);
    expect(await program.ended).toBe(1);
    expect(program.stderr()).toContain(message);
    expect(program.stderr()).not.toContain('    at ');
    expect(program.stdout()).toBe('');
  });

  test('--version and --help', async () => {
    expect(await start('--version').firstLine).toMatch(/^\d+\.\d+\.\d+$/);
    const help = start('--help');
    expect(await help.ended).toBe(0);
    for (const flag of ['--port', '--http-port', '--host', '--data', '--json'])
      expect(help.stdout()).toContain(flag);
  });
});

describe('ports', () => {
  test('if a standard port is taken, the next free one is used', async () => {
    const port = await takenPort();
    const server = createServer();
    onTestFinished(() => void server.close());
    const found = await listen(server, { port, isDefault: true, flag: '--port' }, undefined);
    expect(found).toBeGreaterThan(port);
    expect(found).toBeLessThanOrEqual(port + 20);
  });

  test('a relay that cannot get its second port releases the first', async () => {
    const httpPort = await takenPort();
    const port = await freePort();
    const options = { appDir: tinyApp(), dataDir: temporaryFolder(), port, httpPort };
    await expect(startRelay(options)).rejects.toThrow(`Port ${httpPort} is taken`);
    await listeningServer(port); // rejects where the port is still held
  });
});

describe('flags', () => {
  test('none at all leaves every default to the relay', () => {
    expect(readCommandLine([])).toEqual({
      kind: 'run',
      port: undefined,
      httpPort: undefined,
      host: undefined,
      dataDir: undefined,
      appDir: undefined,
      certificate: undefined,
      json: false,
      keep: false,
      join: undefined,
      turn: true,
    });
  });

  test('all', () => {
    const flags =
      '--port 0 --http-port=8081 --host 127.0.0.1 --data d --app a --cert c --key k --json --no-turn --keep --join f'.split(
        ' ',
      );
    expect(readCommandLine(flags)).toEqual({
      kind: 'run',
      port: 0,
      httpPort: 8081,
      host: '127.0.0.1',
      dataDir: 'd',
      appDir: 'a',
      certificate: { cert: 'c', key: 'k' },
      json: true,
      keep: true,
      join: 'f',
      turn: false,
    });
  });

  test.each([
    ['--port', ''],
    ['--port', '1e3'],
    ['--port', '0x10'],
    ['--data', ''],
    ['--cert', 'c'],
    ['--key', 'k'],
    ['--port'],
    ['--json=1'],
    ['--join', 'f'],
  ])('refused: %s %s', (...flags) => {
    expect(() => readCommandLine(flags)).toThrow(expect.objectContaining({ name: 'StartError' }));
  });
});

test('the QR code on a terminal is white on black, and is shown only if other devices can connect', async () => {
  const relay = await testRelay();
  expect(announcement(relay, true)).not.toContain('█');
  const open = { ...relay, lan: ['https://192.168.1.2:8443/', 'https://10.0.0.7:8443/'] };
  const colours = '\u001B[97;40m';
  expect(announcement(open, true)).toContain(colours);
  const plain = announcement(open, false);
  expect(plain).not.toContain(colours);
  expect(plain).toContain('█');
  for (const url of open.lan) expect(plain).toContain(url);
  const { certificateFingerprint, authority } = relay.certificate;
  for (const fingerprint of [certificateFingerprint, authority?.fingerprint]) {
    expect(plain).toContain(fingerprint);
  }
});
