// The device's side of its socket: each request is one use of the device. Only this user can open the socket,
// so requests carry no secret of their own.
//
// Invariants: bodies are bounded, except the bytes of a file, which are never in memory as a whole; when a
// client goes away, what it asked for is cancelled.

import { chmodSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { INVITED_ROLES, type Role, ROLES } from '../../core/model/role.ts';
import { fieldsOf } from '../../core/encoding/decode.ts';
import type { Palm } from '../../runtime/api.ts';
import { type Placement, PLACEMENTS } from '../../core/model/policy.ts';
import type { InviteOptions } from '../../runtime/invite-api.ts';
import type { Tokens } from '../gateway/tokens.ts';
import type { DeviceWorks } from '../operations/device-works.ts';
import { traceOf } from '../operations/tracing.ts';
import { leavingOf, written } from '../gateway/written.ts';
import type { GatewaySwitch } from './gateway-switch.ts';
import { add, type AddingDevice } from './adding.ts';
import { ERROR_TRAILER } from './messages.ts';
import { jsonBody, RequestError, textOf, toldOf } from './requests.ts';
import { createToken, listTokens, removeToken } from './token-requests.ts';

/** Read at once: as much as a few blocks. */
const READ_BYTES = 1024 * 1024;

export interface ServedDevice extends AddingDevice {
  readonly palm: Palm;
  /** The invite, after the device looked up its address. */
  invite(options: InviteOptions): Promise<string>;
  /** Where the relay is, from now on. Undefined: where it was. */
  useRelay(url: string | undefined): Promise<void>;
  readonly tokens: Tokens;
  readonly works: Pick<DeviceWorks, 'store' | 'read'>;
  readonly gateway: Pick<GatewaySwitch, 'turnOn' | 'turnOff'>;
  /** Ends the process. */
  stop(): void;
}

/** Listens at `path`. @throws the system's error. */
export async function serveDevice(device: ServedDevice, path: string): Promise<Server> {
  const server = createServer((request, response) => {
    answer(device, request, response).catch((error: unknown) => fail(response, error));
  });
  // A file may take hours.
  server.requestTimeout = 0;
  if (process.platform !== 'win32') rmSync(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  if (process.platform !== 'win32') chmodSync(path, 0o600);
  return server;
}

async function answer(
  device: ServedDevice,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { palm } = device;
  const url = new URL(request.url ?? '/', 'http://palm');
  const route = `${request.method ?? ''} ${url.pathname}`;
  if (route.startsWith('GET /files/')) return sendFile(device, url, request, response);
  if (route === 'POST /add') return add(device, request, response);
  if (route === 'GET /log') return sendLog(palm, response);
  const body = request.method === 'POST' ? await jsonBody(request) : undefined;
  switch (route) {
    case 'GET /here':
      return send(response, {});
    case 'GET /status':
      return send(response, palm.status());
    case 'GET /diagnosis':
      return send(response, await palm.diagnose());
    case 'POST /create': {
      const { name, deviceName, relay } = fieldsOf(body, ['name', 'deviceName', 'relay']);
      await device.useRelay(optionalText(relay));
      await palm.createPool({ name: textOf(name), ...namedDevice(deviceName) });
      return send(response, palm.status());
    }
    case 'POST /join': {
      const { invite, deviceName, relay } = fieldsOf(body, ['invite', 'deviceName', 'relay']);
      await device.useRelay(optionalText(relay));
      return send(response, await palm.join(textOf(invite), namedDevice(deviceName)));
    }
    case 'POST /invite':
      return send(response, { invite: await device.invite(inviteOptionsOf(body)) });
    case 'POST /placement': {
      const { placement } = fieldsOf(body, ['placement']);
      if (placement !== null) await palm.setPolicy({ placement: placementOf(placement) });
      return send(response, { placement: palm.policy().placement ?? null });
    }
    case 'POST /grant': {
      const { device: whom, role } = fieldsOf(body, ['device', 'role']);
      await palm.grant(textOf(whom), roleOf(role));
      return send(response, {});
    }
    case 'POST /shut-out':
      await palm.shutOut(textOf(fieldsOf(body, ['device'])['device']));
      return send(response, {});
    case 'POST /recovery-code':
      return send(response, await palm.makeRecoveryCode());
    case 'POST /remove':
      return send(response, await palm.remove(textOf(fieldsOf(body, ['fileId'])['fileId'])));
    case 'POST /rename': {
      const { fileId, name, path } = fieldsOf(body, ['fileId', 'name', 'path']);
      return send(response, await palm.rename(textOf(fileId), textOf(name), { path: textOf(path) }));
    }
    case 'POST /pin': {
      const { fileId, isPinned } = fieldsOf(body, ['fileId', 'isPinned']);
      return send(
        response,
        await (isPinned === true ? palm.pin(textOf(fileId)) : palm.unpin(textOf(fileId))),
      );
    }
    case 'POST /repair':
      return send(response, { lacking: await palm.repair() });
    case 'POST /leave':
      await palm.leave({ handOver: fieldsOf(body, ['handOver'])['handOver'] === true });
      device.tokens.removeAll();
      return send(response, {});
    case 'POST /tokens':
      return send(response, createToken(device.tokens, palm, body));
    case 'GET /tokens':
      return send(response, listTokens(device.tokens, palm));
    case 'POST /tokens/remove':
      return send(response, removeToken(device.tokens, palm, body));
    case 'POST /gateway':
      return send(response, await useGateway(device.gateway, body));
    case 'POST /stop':
      send(response, {});
      return device.stop();
    default:
      throw new RequestError('no such request');
  }
}

async function sendFile(
  { palm, works }: ServedDevice,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const fileId = decodeURIComponent(url.pathname.slice('/files/'.length));
  const leaving = leavingOf(response);
  request.on('error', () => leaving.abort());
  const link = url.searchParams.get('link');
  const start = Number(url.searchParams.get('start') ?? 0);
  const options = { start, ...(link === null ? {} : { link }), signal: leaving.signal };
  try {
    await works.read(traceOf(request), async (traceparent) => {
      // One buffer for all of the file: a piece each would be garbage faster than it is collected.
      const reader = palm.read(fileId, { ...options, traceparent }).getReader({ mode: 'byob' });
      // What cannot be read says so before the first byte.
      let piece = await reader.read(new Uint8Array(READ_BYTES));
      let byteCount = 0;
      response.writeHead(200, { 'Content-Type': 'application/octet-stream', Trailer: ERROR_TRAILER });
      while (!piece.done) {
        byteCount += piece.value.length;
        await written(response, piece.value, leaving.signal);
        piece = await reader.read(new Uint8Array(piece.value.buffer));
      }
      return byteCount;
    });
  } catch (error) {
    if (!response.headersSent) throw error;
    response.addTrailers({ [ERROR_TRAILER]: encodeURIComponent(JSON.stringify(toldOf(error))) });
  }
  response.end();
}

/** What happened and what was noticed, and from now on what happens: a line of JSON each. */
async function sendLog(palm: Palm, response: ServerResponse): Promise<void> {
  const seen = new Set<string>();
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  const look = (): void => {
    const { activity, notices } = palm.status();
    const told = [
      ...activity.map(({ id, atMs, text }) => ({ key: `activity ${id}`, atMs, level: 'info', text })),
      ...notices.map(({ id, atMs, level, text }) => ({ key: `notice ${id}`, atMs, level, text })),
    ].toSorted((a, b) => a.atMs - b.atMs);
    for (const { key, ...line } of told) {
      if (seen.has(key)) continue;
      seen.add(key);
      response.write(`${JSON.stringify(line)}\n`);
    }
  };
  look();
  // The client tells these apart from what is new.
  response.write(`${JSON.stringify({ kind: 'present' })}\n`);
  response.on('close', palm.subscribe(look));
}

async function useGateway(gateway: ServedDevice['gateway'], body: unknown): Promise<unknown> {
  const { isOn, host, port, name, openMetrics } = fieldsOf(body, [
    'isOn',
    'host',
    'port',
    'name',
    'openMetrics',
  ]);
  if (isOn !== true) return gateway.turnOff();
  return gateway.turnOn({
    ...(typeof host === 'string' ? { host } : {}),
    ...(typeof port === 'number' ? { port } : {}),
    ...(typeof name === 'string' ? { name } : {}),
    ...(typeof openMetrics === 'boolean' ? { openMetrics } : {}),
  });
}

/** Without any, the runtime's own choices. @throws RequestError. */
function inviteOptionsOf(body: unknown): InviteOptions {
  const { role, uses, expiresInMs } = fieldsOf(body, ['role', 'uses', 'expiresInMs']);
  const known = INVITED_ROLES.find((each) => each === role);
  if (role !== null && known === undefined) throw new RequestError('no role that an invite gives');
  return {
    ...(known === undefined ? {} : { role: known }),
    ...(typeof uses === 'number' ? { uses } : {}),
    ...(typeof expiresInMs === 'number' ? { expiresInMs } : {}),
  };
}

function roleOf(value: unknown): Role {
  const role = ROLES.find((each) => each === value);
  if (role === undefined) throw new RequestError('no role');
  return role;
}

function placementOf(value: unknown): Placement {
  const placement = PLACEMENTS.find((each) => each === value);
  if (placement === undefined) throw new RequestError('no placement');
  return placement;
}

function optionalText(value: unknown): string | undefined {
  return value === null ? undefined : textOf(value);
}

function namedDevice(name: unknown): { readonly deviceName?: string } {
  const deviceName = optionalText(name);
  return deviceName === undefined ? {} : { deviceName };
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(body ?? {}));
}

function fail(response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(400, { 'Content-Type': 'application/json' });
  response.end(JSON.stringify(toldOf(error)));
}
