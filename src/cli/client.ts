// The command line's side of the device's socket. A device that does not run is started, as a process of its
// own that goes on.

import { setMaxListeners } from 'node:events';
import { spawn } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { type ClientRequest, type IncomingMessage, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { ownerOf } from '../adapters/node/store/device-folder.ts';
import type { PalmStatus } from '../runtime/api.ts';
import type { Diagnosis } from '../runtime/doctor-api.ts';
import type { LackingStatus } from '../runtime/file-api.ts';
import { CommandError, EXIT, interrupted, toldFailure } from './exit-code.ts';
import {
  ADD_HEADER,
  type Added,
  type AddLine,
  type AddRequest,
  ERROR_TRAILER,
  type ToldError,
} from './device/messages.ts';
import { socketPath } from './device/socket-path.ts';
import type { TokenStatus } from './gateway/tokens.ts';
import { words } from './words.ts';

/** A device opens in a second or two; on a slow disk with many files it takes longer, ms. */
const STARTS_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 100;
/** It says goodbye, and hands its last spans over; a busy machine takes longer, ms. */
const ENDS_WITHIN_MS = 20_000;

interface CreatedToken extends TokenStatus {
  readonly token: string;
}

export class DeviceClient {
  readonly #folder: string;
  readonly #signal: AbortSignal;

  private constructor(folder: string, signal: AbortSignal) {
    this.#folder = folder;
    this.#signal = signal;
    // Each request listens to it, and many small files are added together.
    setMaxListeners(0, signal);
  }

  /** The device of a folder, started if it does not run. @throws CommandError when it cannot be. */
  static async reach(folder: string, signal: AbortSignal, mayStart = true): Promise<DeviceClient> {
    const client = new DeviceClient(folder, signal);
    if (await client.#answers()) return client;
    if (!mayStart) throw new CommandError(words.noDevice(folder), EXIT.noDevice, 'no-device');
    startDevice(folder);
    const endMs = performance.now() + STARTS_WITHIN_MS;
    while (performance.now() < endMs && !signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
      if (await client.#answers()) return client;
    }
    throw new CommandError(words.noDevice(folder), EXIT.noDevice, 'no-device');
  }

  status(): Promise<PalmStatus> {
    return this.#json<PalmStatus>('GET', '/status');
  }

  diagnose(): Promise<Diagnosis> {
    return this.#json<Diagnosis>('GET', '/diagnosis');
  }

  async create(name: string, deviceName: string | null, relay: string | null): Promise<void> {
    await this.#json('POST', '/create', { name, deviceName, relay });
  }

  join(invite: string, deviceName: string | null, relay: string | null): Promise<{ answered: boolean }> {
    return this.#json('POST', '/join', { invite, deviceName, relay });
  }

  /** Chooses how files are placed; null: leaves it. */
  placement(placement: string | null): Promise<{ placement: string | null }> {
    return this.#json('POST', '/placement', { placement });
  }

  invite(role: string | null, uses: number, expiresInMs: number | null): Promise<{ invite: string }> {
    return this.#json('POST', '/invite', { role, uses, expiresInMs });
  }

  async grant(device: string, role: string): Promise<void> {
    await this.#json('POST', '/grant', { device, role });
  }

  async shutOut(device: string): Promise<void> {
    await this.#json('POST', '/shut-out', { device });
  }

  makeRecoveryCode(): Promise<{ code: string }> {
    return this.#json('POST', '/recovery-code', {});
  }

  async remove(fileId: string): Promise<void> {
    await this.#json('POST', '/remove', { fileId });
  }

  rename(fileId: string, name: string, path: string): Promise<{ readonly fileId: string }> {
    return this.#json('POST', '/rename', { fileId, name, path });
  }

  async pin(fileId: string, isPinned: boolean): Promise<void> {
    await this.#json('POST', '/pin', { fileId, isPinned });
  }

  repair(): Promise<{ readonly lacking: readonly LackingStatus[] }> {
    return this.#json('POST', '/repair', {});
  }

  async leave(handOver: boolean): Promise<void> {
    await this.#json('POST', '/leave', { handOver });
  }

  createToken(name: string, scopes: string, expiresInMs: number | null): Promise<CreatedToken> {
    return this.#json('POST', '/tokens', { name, scopes, expiresInMs });
  }

  tokens(): Promise<readonly TokenStatus[]> {
    return this.#json('GET', '/tokens');
  }

  removeToken(which: string): Promise<TokenStatus> {
    return this.#json('POST', '/tokens/remove', { which });
  }

  useGateway(
    host: string | null,
    port: number | null,
    name: string | null,
    openMetrics: boolean | null,
  ): Promise<{ readonly url: string; readonly isOpen: boolean }> {
    return this.#json('POST', '/gateway', { isOn: true, host, port, name, openMetrics });
  }

  async endGateway(): Promise<void> {
    await this.#json('POST', '/gateway', {
      isOn: false,
      host: null,
      port: null,
      name: null,
      openMetrics: null,
    });
  }

  /** Resolves when another process can have the folder. @throws CommandError if the device does not end. */
  async stop(): Promise<void> {
    const owner = ownerOf(this.#folder);
    await this.#json('POST', '/stop', {});
    const endMs = performance.now() + ENDS_WITHIN_MS;
    while (owner !== undefined && hasFolder(owner, this.#folder)) {
      if (this.#signal.aborted) throw interrupted();
      if (performance.now() > endMs)
        throw new CommandError(words.notEnding(this.#folder), EXIT.refused, 'not-ending');
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Adds a file at a path of this machine, or what `input` brings. */
  async add(
    wanted: AddRequest,
    input: Readable | undefined,
    progress: (line: Extract<AddLine, { kind: 'progress' }>) => void,
  ): Promise<Added> {
    const sending = this.#request('POST', '/add', input === undefined ? undefined : headerOf(wanted));
    if (input === undefined) sending.end(JSON.stringify(wanted));
    else input.pipe(sending);
    const response = await answerTo(sending);
    await checkAnswer(response);
    for await (const line of createInterface({ input: response })) {
      const told = JSON.parse(line) as AddLine; // of our own device
      if (told.kind === 'progress') progress(told);
      else if (told.kind === 'done') return told.result;
      else throw toldFailure(told.error);
    }
    throw new CommandError(words.deviceGone, EXIT.noDevice, 'no-device');
  }

  /** The bytes of a file from `start` on, in order. */
  async *read(fileId: string, start: number, link: string | undefined): AsyncGenerator<Buffer> {
    const query = new URLSearchParams({ start: String(start), ...(link === undefined ? {} : { link }) });
    const sending = this.#request('GET', `/files/${encodeURIComponent(fileId)}?${query}`);
    sending.end();
    const response = await answerTo(sending);
    await checkAnswer(response);
    try {
      for await (const chunk of response) if (Buffer.isBuffer(chunk)) yield chunk;
    } catch {
      throw new CommandError(words.deviceGone, EXIT.noDevice, 'no-device');
    }
    const failure = response.trailers[ERROR_TRAILER];
    if (failure !== undefined) throw toldFailure(JSON.parse(decodeURIComponent(failure)) as ToldError);
  }

  /** Lines of JSON: what happened, and then what happens. */
  async *log(): AsyncGenerator {
    const sending = this.#request('GET', '/log');
    sending.end();
    const response = await answerTo(sending);
    await checkAnswer(response);
    for await (const line of createInterface({ input: response })) yield JSON.parse(line);
  }

  async #answers(): Promise<boolean> {
    try {
      // A status of many files would be most of what the command then takes.
      await this.#json('GET', '/here');
      return true;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      // A device of an earlier version does not know the question, and is there.
      if (error.code === 'bad-request') return true;
      if (error.code === 'no-device') return false;
      throw error;
    }
  }

  async #json<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const sending = this.#request(method, path);
    sending.end(body === undefined ? undefined : JSON.stringify(body));
    const response = await answerTo(sending);
    await checkAnswer(response);
    return JSON.parse(await textOf(response)) as Answer; // of our own device
  }

  #request(method: string, path: string, headers: Record<string, string> = {}): ClientRequest {
    // Set by tools that trace what a script does.
    const { TRACEPARENT: traceparent } = process.env;
    return httpRequest({
      socketPath: socketPath(this.#folder),
      method,
      path,
      headers: { ...(traceparent === undefined ? {} : { traceparent }), ...headers },
      agent: false,
      signal: this.#signal,
    });
  }
}

/**
 * What a device that moves gigabytes needs of Node and the C library in order not to keep what it freed
 * (docs/OPERATING.md, "Memory"): short-lived objects are collected every few MB instead of every 48;
 * buffers of blocks go back to the system, and few threads have heaps of their own.
 */
const DEVICE_FLAGS = ['--max-semi-space-size=2'];
const DEVICE_ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_ARENA_MAX: '2' };

/** Its output goes to `device.log` of its folder. */
function startDevice(folder: string): void {
  mkdirSync(join(folder, '..'), { recursive: true, mode: 0o700 });
  const log = openSync(`${folder}.log`, 'a', 0o600);
  const main = join(import.meta.dirname, 'main.js');
  const child = spawn(process.execPath, [...DEVICE_FLAGS, main, 'up', '--folder', folder], {
    detached: true,
    stdio: ['ignore', log, log],
    env: { ...DEVICE_ENVIRONMENT, ...process.env },
  });
  child.unref();
}

/** Whether that process has the folder: not one that a crash ended, and not the next one. */
function hasFolder(pid: number, folder: string): boolean {
  if (ownerOf(folder) !== pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It runs, and is not ours.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

function headerOf(wanted: AddRequest): Record<string, string> {
  return { [ADD_HEADER]: encodeURIComponent(JSON.stringify(wanted)) };
}

function answerTo(sending: ClientRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sending.once('response', resolve);
    sending.on('error', (cause) => {
      const error = new CommandError(words.deviceGone, EXIT.noDevice, 'no-device');
      reject(cause.name === 'AbortError' ? interrupted() : error);
    });
  });
}

async function checkAnswer(response: IncomingMessage): Promise<void> {
  if (response.statusCode === 200) return;
  throw toldFailure(JSON.parse(await textOf(response)) as ToldError); // of our own device
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
