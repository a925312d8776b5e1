// What a Node device tries: against relays that are there, that are not, that are something else and that
// have another time; and its folder.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { nodeProbes, vpnInterfacesAmong } from '../../../../../src/adapters/node/doctor/node-probes.ts';
import { testRelay } from '../../../../fixtures/relay-fixture.ts';

const NEVER = new AbortController().signal;
const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'palm-doctor-'));
  endings.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** A server that is no relay, and how its WebSocket would be called. */
async function serving(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endings.push(() => new Promise((resolve) => server.close(resolve)));
  // It listens on a port.
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/relay`;
}

function probes(relayUrl: string, path = folder()) {
  return nodeProbes({ relayUrl, folder: path });
}

describe('the relay', () => {
  test('that is there answers, and its WebSocket brings a pong', async () => {
    const relay = await testRelay();
    // Its certificate is its own: a Node device does not ask for another.
    const tried = probes(`wss://127.0.0.1:${relay.httpsPort}/relay`);
    expect(await tried.relay?.(NEVER)).toEqual({ kind: 'passed' });
    expect(await tried.socket?.(NEVER)).toBe('pong');
    const clock = await tried.relayClock?.(NEVER);
    expect(Math.abs(clock?.aheadMs ?? Infinity)).toBeLessThanOrEqual(clock?.uncertainMs ?? 0);
  });

  test('that is down refuses', async () => {
    const url = await serving(() => undefined);
    for (const end of endings.splice(-1)) await end();
    expect(await probes(url).relay?.(NEVER)).toEqual({ kind: 'refused' });
    expect(await probes(url).socket?.(NEVER)).toBe('refused');
  });

  test('that is another program is none', async () => {
    const sign = await serving((_request, response) => response.writeHead(302, { Location: '/' }).end());
    expect(await probes(sign).relay?.(NEVER)).toEqual({ kind: 'not-palm', status: 302 });
    const page = await serving((_request, response) => response.end('<p>Hello</p>'.repeat(10_000)));
    expect(await probes(page).relay?.(NEVER)).toEqual({ kind: 'not-palm', status: 200 });
    expect(await probes(page).socket?.(NEVER)).toBe('refused');
    const cut = await serving((request) => request.socket.destroy());
    expect(await probes(cut).relay?.(NEVER)).toEqual({ kind: 'not-palm', status: 0 });
  });

  test('that has another time is told by how much', async () => {
    const url = await serving((_request, response) => {
      response.setHeader('Date', new Date(Date.now() + 3_600_000).toUTCString());
      response.end('{"origin":""}');
    });
    const clock = await probes(url).relayClock?.(NEVER);
    expect(Math.round((clock?.aheadMs ?? 0) / 60_000)).toBe(60);
  });

  test('that never answers is given up when the doctor goes', async () => {
    const control = new AbortController();
    let asked: () => void = () => undefined;
    const isAsked = new Promise<void>((resolve) => (asked = resolve));
    const url = await serving(() => asked());
    const answer = probes(url).relay?.(control.signal);
    await isAsked;
    control.abort();
    expect(await answer).toMatchObject({ kind: 'no-answer' });
  });
});

describe('the folder', () => {
  test('that can be written works, and nothing stays in it', async () => {
    const path = folder();
    const seen = await probes('ws://localhost:1/relay', path).storage?.(NEVER);
    expect(seen).toMatchObject({ isKept: true, filesWork: true });
    expect(readdirSync(path)).toEqual([]);
  });

  test('that is not there yet is tried where it will be', async () => {
    const path = folder();
    const seen = await probes('ws://localhost:1/relay', join(path, 'a', 'b')).storage?.(NEVER);
    expect(seen).toMatchObject({ filesWork: true });
    expect(readdirSync(path)).toEqual([]);
  });

  test('that cannot be written does not', async () => {
    const file = join(folder(), 'file');
    writeFileSync(file, '');
    // No user, whatever its rights, writes into a file as into a folder.
    expect(await probes('ws://localhost:1/relay', file).storage?.(NEVER)).toMatchObject({ filesWork: false });
  });
});

test('interfaces of VPNs are known by their names, and told without their numbers', () => {
  const up = [{ address: '10.8.0.2' }];
  expect(vpnInterfacesAmong({ lo: up, eth0: up, wlan0: up, docker0: up, en0: up })).toEqual([]);
  expect(vpnInterfacesAmong({ tun0: up, tun1: up, 'wg-home': up, tailscale0: up })).toEqual([
    'tun',
    'wg',
    'tailscale',
  ]);
  // macOS keeps some of them with no address of the network.
  expect(vpnInterfacesAmong({ utun0: [{ address: 'fe80::1' }], utun3: [] })).toEqual([]);
});
