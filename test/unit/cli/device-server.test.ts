// The device's socket, with the program's own client: bytes as streams, failures in words, and what a client
// asked for ends with the client.

import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { DeviceFolder } from '../../../src/adapters/node/store/device-folder.ts';
import { DeviceClient } from '../../../src/cli/client.ts';
import { serveDevice, type ServedDevice } from '../../../src/cli/device/device-server.ts';
import { socketPath } from '../../../src/cli/device/socket-path.ts';
import { Spool } from '../../../src/cli/device/spool.ts';
import { CommandError, EXIT } from '../../../src/cli/exit-code.ts';
import { Tokens } from '../../../src/cli/gateway/tokens.ts';
import { DeviceMetrics } from '../../../src/cli/operations/device-metrics.ts';
import { openDeviceLog } from '../../../src/cli/operations/device-log.ts';
import { DeviceWorks } from '../../../src/cli/operations/device-works.ts';
import { idsOnly } from '../../../src/cli/operations/tracing.ts';
import { PalmError } from '../../../src/core/model/errors.ts';
import type { Palm, StoreOptions } from '../../../src/runtime/api.ts';

let folder: string;
let server: Server;
let device: ServedDevice;
/** Of the device's log. */
let lines: unknown[];
const gateway = {
  turnOn: vi.fn(async () => ({ url: 'http://127.0.0.1:1/', isOpen: false })),
  turnOff: vi.fn(async () => undefined),
};
const learn = vi.fn<(contentId: string, cid: string) => void>();
const palm = {
  status: vi.fn(() => inNoPool()),
  store: vi.fn<(blob: Blob, options: StoreOptions) => Promise<unknown>>(),
  read: vi.fn<(fileId: string, options: { signal: AbortSignal }) => ReadableStream<Uint8Array>>(),
  leave: vi.fn<() => Promise<void>>(),
  rename: vi.fn<Palm['rename']>(),
  repair: vi.fn<Palm['repair']>(),
  pin: vi.fn<Palm['pin']>(),
  unpin: vi.fn<Palm['unpin']>(),
  grant: vi.fn<(device: string, role: string) => Promise<void>>(),
  shutOut: vi.fn<(device: string) => Promise<void>>(),
  makeRecoveryCode: vi.fn<() => Promise<{ code: string }>>(),
  createPool: vi.fn<(options: { name: string }) => Promise<void>>(),
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'palm-cli-'));
  lines = [];
  for (const method of Object.values(palm)) method.mockReset();
  palm.status.mockReturnValue(inNoPool());
  device = {
    palm: palm as unknown as Palm, // the part that is called
    invite: async () => 'https://a.test/#/join/u',
    useRelay: vi.fn(async () => undefined),
    tokens: new Tokens(join(folder, 'tokens.json')),
    cids: { learn },
    works: new DeviceWorks(
      new DeviceMetrics(palm as unknown as Palm, () => 0), // the part that is called
      idsOnly,
      openDeviceLog('trace', { write: (line: string) => lines.push(JSON.parse(line)) }),
    ),
    gateway,
    spool: new Spool(folder),
    stop: vi.fn(),
  };
  server = await serveDevice(device, socketPath(folder));
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
});

it('lets only its user use it', () => {
  expect(statSync(socketPath(folder)).mode & 0o777).toBe(0o600);
});

it('answers with the device’s own words, by which the program ends', async () => {
  palm.createPool.mockRejectedValue(
    new PalmError({ code: 'already-in-pool' }, { message: 'This device is in a pool.' }),
  );
  const client = await reach();
  const failure = await failureOf(client.create('Home', null, null));
  expect(failure).toMatchObject({ message: 'This device is in a pool.', exitCode: EXIT.noPool });
  expect((await client.invite(null, 1, null)).invite).toBe('https://a.test/#/join/u');
});

it('makes tokens for programs, lists them without their secrets, and removes them when it leaves', async () => {
  const client = await reach();
  expect(await failureOf(client.createToken('scanner', 'add', null))).toMatchObject({
    exitCode: EXIT.noPool,
  });
  palm.status.mockReturnValue(inPool());
  expect(await failureOf(client.createToken('scanner', 'all', null))).toMatchObject({ exitCode: EXIT.usage });
  const { token, ...status } = await client.createToken('scanner', 'add', null);
  expect(device.tokens.check(token, 'pool-a')).toEqual(status);
  expect(await client.tokens()).toEqual([status]);
  await client.leave(false);
  expect(device.tokens.check(token, 'pool-a')).toBeUndefined();
});

it('gives roles and shuts out, as the pool lets it', async () => {
  const client = await reach();
  await client.grant('device-a', 'admin');
  expect(palm.grant).toHaveBeenCalledWith('device-a', 'admin');
  expect(await failureOf(client.grant('device-a', 'king'))).toMatchObject({ exitCode: EXIT.usage });
  expect(palm.grant).toHaveBeenCalledOnce();
  palm.makeRecoveryCode.mockResolvedValue({ code: 'ABCD-EFGH' });
  expect(await client.makeRecoveryCode()).toEqual({ code: 'ABCD-EFGH' });
  palm.shutOut.mockRejectedValue(
    new PalmError({ code: 'not-allowed', reason: 'admins-only' }, { message: 'Only an admin may do that.' }),
  );
  expect(await failureOf(client.shutOut('device-a'))).toMatchObject({
    message: 'Only an admin may do that.',
  });
});

it('renames and pins files, and begins a repair', async () => {
  const client = await reach();
  palm.rename.mockResolvedValue({ fileId: 'b' });
  expect(await client.rename('a', 'new.txt', 'letters')).toEqual({ fileId: 'b' });
  expect(palm.rename).toHaveBeenCalledWith('a', 'new.txt', { path: 'letters' });
  await client.pin('b', true);
  expect(palm.pin).toHaveBeenCalledWith('b');
  expect(palm.unpin).not.toHaveBeenCalled();
  await client.pin('b', false);
  expect(palm.unpin).toHaveBeenCalledWith('b');
  const lacking = [{ fileId: 'b', name: 'new.txt', missingFragments: 2 }];
  palm.repair.mockResolvedValue(lacking);
  expect(await client.repair()).toEqual({ lacking });
});

it('turns the gateway on and off', async () => {
  const client = await reach();
  expect(await client.useGateway('::1', 80, null, null)).toEqual({
    url: 'http://127.0.0.1:1/',
    isOpen: false,
  });
  expect(gateway.turnOn).toHaveBeenCalledWith({ host: '::1', port: 80 });
  expect(gateway.turnOff).not.toHaveBeenCalled();
  await client.endGateway();
  expect(gateway.turnOff).toHaveBeenCalledOnce();
});

it('takes back a token by its name', async () => {
  palm.status.mockReturnValue(inPool());
  const client = await reach();
  const { token } = await client.createToken('scanner', 'read', 1_000_000);
  await client.removeToken('scanner');
  expect(device.tokens.check(token, 'pool-a')).toBeUndefined();
  expect(await failureOf(client.removeToken('scanner'))).toMatchObject({ exitCode: EXIT.usage });
});

it('is found without a status, which takes long in a pool of many files', async () => {
  await reach();
  expect(palm.status).not.toHaveBeenCalled();
});

it('adds a file of this machine by its path, and what comes in the request, whole', async () => {
  const stored: string[] = [];
  palm.store.mockImplementation(async (blob, { name, path }) => {
    stored.push(`${path}/${name}: ${await blob.text()}`);
    return { fileId: name, deduplicated: false, placed: 1 };
  });
  writeFileSync(join(folder, 'here'), 'from the disk');
  const client = await reach();
  const wanted = { path: 'a', isPrivate: false };
  await client.add({ ...wanted, name: 'one', file: join(folder, 'here') }, undefined, () => undefined);
  await client.add({ ...wanted, name: 'two' }, Readable.from(['from ', 'a pipe']), () => undefined);
  expect(stored).toEqual(['a/one: from the disk', 'a/two: from a pipe']);
  expect(readdirSync(folder).toSorted()).toEqual(['here', 'palm.sock']);
});

it('adds a file with its CID, also to the name of bytes that the pool had', async () => {
  const cid = 'Qmf412jQZiuVUtdgnB36FXFX7xg5V6KEbSJ4dpQuhkLyfD';
  writeFileSync(join(folder, 'hello.txt'), 'hello world');
  palm.store.mockResolvedValue({ fileId: 'a', deduplicated: true, placed: 8 });
  const listed = { fileId: 'a', contentId: 'content', name: 'hello.txt', path: 'x', mime: 'text/plain' };
  palm.status.mockReturnValue({ ...inPool(), files: [listed] });
  palm.rename.mockResolvedValue({ fileId: 'b' });
  const wanted = { name: 'hello.txt', path: 'x', isPrivate: false, file: join(folder, 'hello.txt') };
  const client = await reach();
  const added = await client.add({ ...wanted, withCid: true }, undefined, () => undefined);
  expect(added).toEqual({ fileId: 'b', deduplicated: true, placed: 8, cid });
  expect(palm.store.mock.lastCall?.[1].mime).toBe(`;ipfs-cid=${cid}`);
  const mime = `text/plain;ipfs-cid=${cid}`;
  expect(palm.rename).toHaveBeenCalledWith('a', 'hello.txt', { path: 'x', mime });
  expect(learn).toHaveBeenCalledWith('content', cid);
  // Another device's name stays as it is.
  palm.rename.mockRejectedValue(new PalmError({ code: 'not-allowed', reason: 'file-of-another' }));
  const again = await client.add({ ...wanted, withCid: true }, undefined, () => undefined);
  expect(again).toMatchObject({ fileId: 'a', cid });
});

it.each([
  ['nowhere', 'There is no such file', EXIT.noSuchFile],
  ['.', 'This is a folder', EXIT.usage],
])('says why %s cannot be added', async (name, words, exitCode) => {
  const adding = (await reach()).add(
    { name, path: '', isPrivate: false, file: join(folder, name) },
    undefined,
    () => undefined,
  );
  const failure = await failureOf(adding);
  expect(failure.message).toContain(words);
  expect(failure.exitCode).toBe(exitCode);
  expect(palm.store).not.toHaveBeenCalled();
});

it('sends a file as it comes, and says at its end what ended it too early', async () => {
  const failure = new PalmError(
    { code: 'not-enough-fragments', reach: 1, k: 2, silent: [], isHeard: false },
    { message: 'Only 1 of 2.' },
  );
  palm.read.mockReturnValue(streamOf(['abc', 'def'], failure));
  const got: string[] = [];
  const reading = async (): Promise<void> => {
    for await (const chunk of (await reach()).read('id', 0, undefined)) got.push(String(chunk));
  };
  expect(await failureOf(reading())).toMatchObject({ message: 'Only 1 of 2.', exitCode: EXIT.notReadable });
  expect(got.join('')).toBe('abcdef');
});

it('ends a read whose client went away', async () => {
  const aborted = new Promise<void>((resolve) => {
    palm.read.mockImplementation((_id, { signal }) => {
      signal.addEventListener('abort', () => resolve());
      return streamOf(['abc']);
    });
  });
  for await (const _ of (await reach()).read('id', 0, undefined)) break;
  await aborted;
});

it('does not count on a device that is not there', async () => {
  const elsewhere = DeviceClient.reach(join(folder, 'none'), new AbortController().signal, false);
  expect(await failureOf(elsewhere)).toMatchObject({ exitCode: EXIT.noDevice });
});

it('refuses a request that is too long, and goes on', async () => {
  const client = await reach();
  await failureOf(client.create('x'.repeat(100_000), null, null));
  expect(palm.createPool).not.toHaveBeenCalled();
  expect((await client.invite(null, 1, null)).invite).toContain('join');
});

interface ShownStatus {
  readonly pool?: { readonly id: string };
  readonly files: readonly unknown[];
}

function inNoPool(): ShownStatus {
  const shown = { transfers: [], files: [], devices: [], activity: [], notices: [] };
  return shown;
}

function inPool(): ShownStatus {
  return { ...inNoPool(), pool: { id: 'pool-a' } };
}

function reach(): Promise<DeviceClient> {
  return DeviceClient.reach(folder, new AbortController().signal, false);
}

/** Stays open without a failure. */
function streamOf(chunks: readonly string[], failure?: Error): ReadableStream<Uint8Array> {
  const waiting = [...chunks];
  return new ReadableStream({
    type: 'bytes',
    pull(controller) {
      const chunk = waiting.shift();
      if (chunk !== undefined) controller.enqueue(new TextEncoder().encode(chunk));
      else if (failure !== undefined) controller.error(failure);
    },
  });
}

async function failureOf(work: Promise<unknown>): Promise<CommandError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof CommandError) return error;
  throw new Error(`it ended with ${String(error)}`);
}

it('waits until the folder of a device that ends is free', async () => {
  const owned = await DeviceFolder.take(join(folder, 'owned'));
  const endings: string[] = [];
  vi.mocked(device.stop).mockImplementation(() => {
    setTimeout(() => {
      endings.push('released');
      owned.release();
    }, 300);
  });
  const ending = await serveDevice(device, socketPath(owned.path));
  const client = await DeviceClient.reach(owned.path, new AbortController().signal, false);
  await client.stop();
  endings.push('told');
  expect(endings).toEqual(['released', 'told']);
  const again = await DeviceFolder.take(owned.path);
  again.release();
  ending.close();
});

it('has ended a device whose folder another process has by then, as one that is always started again', async () => {
  const owned = await DeviceFolder.take(join(folder, 'owned'));
  vi.mocked(device.stop).mockImplementation(() => {
    owned.release();
    writeFileSync(join(owned.path, 'pid'), String(process.ppid));
  });
  const ending = await serveDevice(device, socketPath(owned.path));
  const client = await DeviceClient.reach(owned.path, new AbortController().signal, false);
  await client.stop();
  expect(device.stop).toHaveBeenCalledOnce();
  ending.close();
});
