// What monitors ask, and what the log says: enough to see that something is wrong, and nothing that somebody
// could use.

import { type IncomingMessage, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { sendMetrics } from '../../../../src/cli/gateway/probes.ts';
import type { DeviceStatus } from '../../../../src/runtime/api.ts';
import { GatewayWorld, POOL_ID } from '../../../fixtures/gateway-world.ts';

let world: GatewayWorld;
let token: string;

beforeEach(async () => {
  world = new GatewayWorld();
  await world.open();
  token = world.token('read', 'add');
});

afterEach(() => world.end());

describe('without a token', () => {
  it('says whether the process answers, and whether the device can be used, and nothing else', async () => {
    world.devices = [device('self', 'reachable', true), device('phone', 'reachable')];
    const asked = async (path: string): Promise<unknown> => {
      const { status, body } = await world.ask(path, undefined);
      return [status, JSON.parse(String(body))];
    };
    expect(await asked('/health')).toEqual([200, { healthy: true }]);
    expect(await asked('/ready')).toEqual([200, { ready: true }]);
    world.devices = [device('self', 'reachable', true), device('phone', 'away')];
    expect(await asked('/ready')).toEqual([503, { ready: false, why: 'alone' }]);
    world.poolId = undefined;
    expect(await asked('/ready')).toEqual([503, { ready: false, why: 'not-in-pool' }]);
    expect(await asked('/health')).toEqual([200, { healthy: true }]);
  });

  it('does so for its own name alone', async () => {
    const headers = { host: 'evil.test' };
    expect((await world.ask('/health', undefined, { headers })).status).toBe(421);
    expect((await world.ask('/health', undefined, { headers: { origin: 'http://evil.test' } })).status).toBe(
      403,
    );
  });

  it('counts nothing for who asks through a proxy on this machine', async () => {
    const reader = world.token('read');
    expect((await world.ask('/metrics', reader)).status).toBe(200);
    for (const header of ['x-forwarded-for', 'forwarded', 'via'])
      expect((await world.ask('/metrics', reader, { headers: { [header]: 'x' } })).status).toBe(404);
  });

  it('counts nothing for anybody', async () => {
    expect((await world.ask('/metrics', undefined)).status).toBe(401);
    expect((await world.ask('/metrics', world.token('add'))).status).toBe(403);
  });
});

describe('the status of the device', () => {
  it('is made once for many requests, strangers’ too, and again after a change', async () => {
    const { fileId } = world.put('a.txt', 'abc');
    await world.ask('/ready', undefined);
    world.isQuiet = true;
    const before = world.statusCount;
    for (let at = 0; at < 10; at++) {
      await world.ask('/ready', undefined);
      await world.ask('/f/', undefined);
      await world.ask(`/f/${fileId}/a.txt`, token);
    }
    expect(world.statusCount).toBe(before);
    world.isQuiet = false;
    await world.ask('/f/', token);
    expect(world.statusCount).toBe(before + 1);
  });

  it('is of now for who caused a change, and for who asks for what came a moment ago', async () => {
    const listed = async (): Promise<number> => {
      const { body } = await world.ask('/f/', token, { headers: { accept: 'application/json' } });
      return (JSON.parse(String(body)) as { files: unknown[] }).files.length;
    };
    expect(await listed()).toBe(0);
    world.isQuiet = true;
    await world.ask('/f/a', token, { method: 'PUT', body: 'x' });
    expect(await listed()).toBe(1);
    const { fileId } = world.put('b', 'y');
    expect((await world.ask(`/f/${fileId}/b`, token)).status).toBe(200);
    expect((await world.ask('/f/none', token)).status).toBe(404);
  });
});

describe('metrics', () => {
  it('say how the pool is, when they are asked for', async () => {
    world.devices = [
      device('self', 'reachable', true),
      device('phone', 'away'),
      device('laptop', 'reachable'),
      device('tablet', 'away'),
    ];
    world.put('a', 'abcde', { n: 4, durable: 3, durableMargin: 0, inOutbox: true });
    world.put('b', 'x', {
      n: 4,
      durable: 1,
      durableMargin: -1,
      reach: 1,
      holders: [
        { deviceId: 'self', fragments: [0, 2] },
        { deviceId: 'phone', fragments: [1] },
      ],
    });
    world.put('c', 'x', { durableMargin: 7 });
    world.events = [event('false-claims', 2), event('false-claims', 3), event('flood', 1)];
    expect(await metrics()).toMatchObject({
      palm_in_pool: 1,
      'palm_devices{state="reachable"}': 1,
      'palm_devices{state="away"}': 2,
      'palm_devices{state="gone"}': 0,
      palm_files: 3,
      palm_file_bytes: 7,
      palm_files_readable: 2,
      'palm_files_by_margin{margin="-1"}': 1,
      'palm_files_by_margin{margin="0"}': 1,
      'palm_files_by_margin{margin="1"}': 0,
      'palm_files_by_margin{margin="4+"}': 1,
      palm_outbox_files: 1,
      palm_held_fragments: 2,
      palm_held_bytes: 10,
      palm_repair_backlog_fragments: 4,
      'palm_security_events{kind="false-claims"}': 5,
      'palm_security_events{kind="flood"}': 1,
    });
    world.files.pop();
    expect(await metrics()).toMatchObject({ palm_files: 2, 'palm_files_by_margin{margin="4+"}': 0 });
  });

  it('count stores, reads and requests by how they ended', async () => {
    const { fileId } = world.put('a.txt', 'abcde');
    await world.ask(`/f/${fileId}/a.txt`, token, { headers: { range: 'bytes=1-2' } });
    await world.ask('/f/b', token, { method: 'PUT', body: '123' });
    world.storeFailure = new Error('a bug');
    await world.ask('/f/c', token, { method: 'PUT', body: '123' });
    await world.ask('/f/none', token);
    expect(await metrics()).toMatchObject({
      'palm_read_seconds_count{outcome="done"}': 1,
      palm_read_bytes_total: 2,
      'palm_store_seconds_count{outcome="done"}': 1,
      'palm_store_seconds_count{outcome="failed"}': 1,
      palm_stored_bytes_total: 3,
      'palm_gateway_request_seconds_count{method="GET",code="206"}': 1,
      'palm_gateway_request_seconds_count{method="PUT",code="201"}': 1,
      'palm_gateway_request_seconds_count{method="PUT",code="500"}': 1,
      'palm_gateway_request_seconds_count{method="GET",code="404"}': 1,
    });
  });

  it('count what audits fetched, once', async () => {
    world.auditBytes = 500;
    expect(await metrics()).toMatchObject({ palm_audit_bytes_total: 500 });
    world.auditBytes = 700;
    expect(await metrics()).toMatchObject({ palm_audit_bytes_total: 700 });
    expect(await metrics()).toMatchObject({ palm_audit_bytes_total: 700 });
  });

  it.each([
    ['127.0.0.1', false, true],
    ['::1', false, true],
    ['::ffff:127.0.0.1', false, true],
    ['192.168.1.2', false, false],
    ['::ffff:192.168.1.2', false, false],
    ['fe80::1', false, false],
    ['192.168.1.2', true, true],
  ])('are for %s, if opened %j: %j', async (remoteAddress, isOpen, isGiven) => {
    // The part that is read.
    const request = { socket: { remoteAddress }, headers: {} } as unknown as IncomingMessage;
    const response = new ServerResponse(request);
    const counts = { contentType: 'text/plain', text: async () => '' };
    const sent = sendMetrics(counts, isOpen, request, response);
    if (isGiven) await sent;
    else await expect(sent).rejects.toMatchObject({ status: 404 });
    expect(response.writableEnded).toBe(isGiven);
  });

  it('name nobody and nothing', async () => {
    world.devices = [device('self', 'reachable', true), device('Bob’s phone', 'away')];
    const { fileId } = world.put('secret.txt', 'abc', { path: 'private' });
    await world.ask(`/f/${fileId}/secret.txt`, token);
    const text = String((await world.ask('/metrics', token)).body);
    for (const name of ['Bob', 'secret', 'private', fileId, POOL_ID, token]) expect(text).not.toContain(name);
  });
});

describe('the log', () => {
  it('knows each request by the id that its answer has, or that came with it', async () => {
    const first = await world.ask('/f/', token);
    expect(first.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/u);
    const headers = { 'x-request-id': 'of-a-proxy.1' };
    const second = await world.ask('/f/none', token, { headers });
    expect(second.headers['x-request-id']).toBe('of-a-proxy.1');
    const third = await world.ask('/f/', token, { headers: { 'x-request-id': '"} forged {"' } });
    expect(third.headers['x-request-id']).toMatch(/^[\da-f-]{36}$/u);
    await expect.poll(() => world.log).toHaveLength(3);
    expect(world.log).toEqual([
      line(first.headers['x-request-id'], 200),
      line('of-a-proxy.1', 404),
      line(third.headers['x-request-id'], 200),
    ]);
  });

  it('follows a request on to other devices by the id of its header, if that is sound', async () => {
    const { fileId } = world.put('a.txt', 'abc');
    const [traceId, parent] = ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331'];
    const tracesOf = async (traceparent: string): Promise<unknown[]> => {
      world.log.length = 0;
      await world.ask(`/f/${fileId}/a.txt`, token, { headers: { traceparent } });
      await expect.poll(() => world.log).toHaveLength(2);
      const [, told = ''] = world.reads.at(-1)?.traceparent?.split('-') ?? [];
      return [...world.log.map((each) => Reflect.get(Object(each), 'trace')), told];
    };
    expect(await tracesOf(`00-${traceId}-${parent}-01`)).toEqual([traceId, traceId, traceId]);
    for (const forged of [`00-${traceId}"}-${parent}-01`, `00-${'0'.repeat(32)}-${parent}-01`, 'x']) {
      const traces = await tracesOf(forged);
      expect(new Set(traces).size).toBe(1);
      expect(traces).toEqual(traces.map(() => expect.stringMatching(/^(?!0af7|0000)[\da-f]{32}$/u)));
    }
  });

  it('has no token, no name and no path, not of failures either', async () => {
    const { fileId } = world.put('secret.txt', 'abc', { path: 'private' });
    const missing = Object.assign(new Error("ENOENT: open '/home/bob/secret.txt'"), { code: 'ENOENT' });
    world.failure = { afterBytes: 0, error: missing };
    await world.ask(`/f/${fileId}/secret.txt?name=secret`, token, { headers: { 'x-request-id': 'a' } });
    await world.ask('/f/private/secret.txt', token);
    await world.ask(`/f/?${token}`, token);
    await world.ask(`/${token}`, token);
    await world.ask('/f/private/secret2', token, { method: 'PUT', body: 'x' });
    // A read and a store have a line of their own.
    await expect.poll(() => world.log).toHaveLength(8);
    const text = JSON.stringify(world.log);
    for (const word of ['secret', 'private', 'bob', fileId, token, token.slice(5)])
      expect(text).not.toContain(word);
    expect(world.log[0]).toMatchObject({ msg: 'read', isWhole: false });
    expect(world.log[1]).toMatchObject({
      level: 'error',
      req: 'a',
      err: { type: 'Error', code: 'ENOENT', stack: expect.stringContaining('operations.test.ts') },
    });
  });

  it('says what monitors ask all the time to those alone who want all', async () => {
    await world.ask('/health', undefined);
    await expect
      .poll(() => world.log)
      .toEqual([expect.objectContaining({ level: 'debug', route: '/health' })]);
  });
});

async function metrics(): Promise<Record<string, number>> {
  const { status, headers, body } = await world.ask('/metrics', token);
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8']);
  const lines = String(body)
    .split('\n')
    .filter((each) => each !== '' && !each.startsWith('#'));
  return Object.fromEntries(
    lines.map((each) => [
      each.slice(0, each.lastIndexOf(' ')),
      Number(each.slice(each.lastIndexOf(' ') + 1)),
    ]),
  );
}

function line(id: unknown, code: number): unknown {
  return {
    level: 'info',
    time: expect.stringMatching(/^\d{4}-/u),
    req: id,
    trace: expect.stringMatching(/^[\da-f]{32}$/u),
    method: 'GET',
    route: '/f',
    code,
    ms: expect.any(Number),
    isWhole: true,
    msg: 'request',
  };
}

function event(kind: 'false-claims' | 'flood', count: number) {
  return { kind, count, firstAtMs: 1, lastAtMs: 2, text: '' };
}

function device(name: string, state: DeviceStatus['state'], self = false): DeviceStatus {
  return { id: name, name, state, class: 'phone', sinceMs: 0, graceMs: 0, heldBytes: 10, self };
}
