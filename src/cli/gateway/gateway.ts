// The gateway: the pool's files over HTTP, for programs that have a token. It has a port of its own, because
// what it serves was written by anybody in the pool and must not share an origin with the app.
//
// Invariants: every request but for /health and /ready shows a token; connections, headers, bodies in
// progress and the bytes in memory of each are bounded; what a client asked for ends with the client.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FileStatus, Palm, PalmStatus } from '../../runtime/api.ts';
import { sameCid } from '../../core/model/content-cid.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { DeviceLog } from '../operations/device-log.ts';
import type { DeviceMetrics } from '../operations/device-metrics.ts';
import type { DeviceWorks } from '../operations/device-works.ts';
import { words } from '../words.ts';
import { prefersJson, Refusal, refusalOf, secure, sendFailure, sendJson, sendText } from './answer.ts';
import { boundConnections } from './bounded-connections.ts';
import { checkOrigin, checkScope, ownHosts, tokenOf } from './gate.ts';
import { checkClaim, type CheckedCids, fileOfCid, folderOfCid } from './cids.ts';
import { fileAt, fileIn, listingBelow, listingOf, pageOf, isServed } from './listing.ts';
import { answerProbe, sendMetrics } from './probes.ts';
import { RecentStatus } from './recent-status.ts';
import { logRequest } from './request-log.ts';
import { sendFile } from './send-file.ts';
import { nameIn, takeFile, type TakingDevice } from './take-file.ts';
import { escaped, type Target, targetOf, urlOfFile, urlOfFolder } from './target.ts';
import type { Tokens } from './tokens.ts';

export interface GatewayDevice extends TakingDevice {
  readonly palm: Pick<Palm, 'status' | 'subscribe' | 'read' | 'store' | 'remove'>;
  readonly tokens: Pick<Tokens, 'check'>;
  readonly cids: CheckedCids & TakingDevice['cids'];
  readonly works: DeviceWorks;
  readonly metrics: DeviceMetrics;
  readonly log: DeviceLog;
}

export interface GatewaySettings {
  /** What it listens on. */
  readonly host: string;
  /** 0: one that is free. */
  readonly port: number;
  /** What others call it, such as behind a proxy. */
  readonly name?: string;
  /** Metrics for others than this machine. */
  readonly openMetrics?: boolean;
}

export interface GatewayLimits {
  /** A client that takes or sends nothing for this long is cut off, ms. */
  readonly stallMs: number;
  /** A request's headers must be here within, ms. */
  readonly headersMs: number;
  readonly maxConnections: number;
  /** Files that are sent and taken at a time: each has a buffer, and a read of the pool. */
  readonly maxBodies: number;
}

export interface Gateway {
  readonly port: number;
  readonly url: string;
  close(): Promise<void>;
}

const LIMITS: GatewayLimits = { stallMs: 60_000, headersMs: 10_000, maxConnections: 256, maxBodies: 32 };
/** Far longer than any token, path or browser's own headers, bytes. */
const MAX_HEADER_BYTES = 32 * 1024;
const KEEP_ALIVE_MS = 5_000;
/** A place is free again within this, s. */
const BUSY_RETRY_S = 2;
const METHODS = 'GET, HEAD, PUT, POST, DELETE';

/** @throws the system's error when it cannot listen. */
export async function openGateway(
  device: GatewayDevice,
  { host, port, name, openMetrics = false }: GatewaySettings,
  limits: GatewayLimits = LIMITS,
): Promise<Gateway> {
  const server = createServer({
    maxHeaderSize: MAX_HEADER_BYTES,
    headersTimeout: limits.headersMs,
    // A file may take hours; one that stands still is cut off by the socket's clock.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: Math.min(limits.headersMs, 5_000),
  });
  // Cuts a connection on which nothing moves, as when nobody reads the answer.
  server.timeout = limits.stallMs;
  boundConnections(server, limits.maxConnections);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const { port: own } = server.address() as AddressInfo; // it listens on a port
  const desk = new Desk(device, ownHosts(host, own, name), openMetrics, limits);
  const answer = (request: IncomingMessage, response: ServerResponse, bodyWanted: () => void): void => {
    if (request.socket.destroyed) return;
    const log = logRequest(device, request, response);
    secure(response);
    desk.answer(request, response, bodyWanted).catch((error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal.status === 500) log.error({ err: error }, 'bug');
      sendFailure(request, response, refusal);
    });
  };
  server.on('request', (request, response) => answer(request, response, () => undefined));
  // Who asks first is told no before it sends the body.
  server.on('checkContinue', (request, response) =>
    answer(request, response, () => response.writeContinue()),
  );
  const close = (): Promise<void> => {
    desk.close();
    return closed(server);
  };
  const called = name ?? (host.includes(':') ? `[${host}]` : host);
  return { port: own, url: `http://${called}:${own}/`, close };
}

function closed(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

class Desk {
  readonly #device: GatewayDevice;
  readonly #hosts: ReadonlySet<string>;
  readonly #openMetrics: boolean;
  readonly #limits: GatewayLimits;
  readonly #status: RecentStatus;
  #bodies = 0;

  constructor(
    device: GatewayDevice,
    hosts: ReadonlySet<string>,
    openMetrics: boolean,
    limits: GatewayLimits,
  ) {
    this.#device = device;
    this.#hosts = hosts;
    this.#openMetrics = openMetrics;
    this.#limits = limits;
    this.#status = new RecentStatus(device.palm);
  }

  close(): void {
    this.#status.close();
  }

  async answer(request: IncomingMessage, response: ServerResponse, bodyWanted: () => void): Promise<void> {
    checkOrigin(request, this.#hosts);
    if (answerProbe(this.#status, request, response)) return;
    const status = this.#status.now();
    const { pool } = status;
    if (pool === undefined) throw notInPool();
    const token = tokenOf(request, this.#device.tokens, pool.id);
    const target = targetOf(request.url ?? '');
    const [room] = target.segments;
    if (room === 'metrics' && target.segments.length === 1 && request.method === 'GET') {
      checkScope(token, 'read');
      return sendMetrics(this.#device.metrics, this.#openMetrics, request, response);
    }
    if (room === 'ipfs') return this.#showByCid(status, target, token, request, response);
    if (room !== '' && room !== 'f') throw new Refusal(404, 'unknown-path', words.gateway.nothingHere);
    const rest = { ...target, segments: target.segments.slice(1) };
    switch (request.method) {
      case 'GET':
      case 'HEAD':
        checkScope(token, 'read');
        return this.#show(status, rest, request, response);
      case 'PUT':
      case 'POST':
        checkScope(token, 'add');
        return this.#take(status, rest, request, response, bodyWanted);
      case 'DELETE':
        checkScope(token, 'admin');
        return this.#remove(status, rest, response);
      default:
        throw new Refusal(405, 'method', words.gateway.method, { Allow: METHODS });
    }
  }

  async #show(
    status: PalmStatus,
    { segments, query }: Target,
    request: IncomingMessage,
    response: ServerResponse,
    isLatest = false,
  ): Promise<void> {
    const file = fileNamed(status, segments);
    if (file !== undefined) {
      const asDownload = query.has('download');
      const { stallMs } = this.#limits;
      return this.#withBody(() => sendFile(this.#device, file, request, response, { stallMs, asDownload }));
    }
    const path = segments.join('/');
    const isFolder = segments.length === 0 || path.endsWith('/') || path === '';
    const listing = listingOf(status, path.replace(/\/$/u, ''));
    if (isFolder && listing !== undefined) {
      response.setHeader('Vary', 'Accept');
      if (prefersJson(request)) sendJson(response, 200, listing);
      else sendText(response, 200, 'text/html', pageOf(listing, status.pool?.name ?? ''));
      return;
    }
    const named = fileAt(status, path);
    if (named !== undefined) return redirect(response, urlOfFile(named));
    if (listing !== undefined) return redirect(response, urlOfFolder(path));
    if (isLatest) throw new Refusal(404, 'unknown-file', words.gateway.nothingHere);
    // It may have come a moment ago.
    this.#status.changed();
    return this.#show(this.#status.now(), { segments, query }, request, response, true);
  }

  /** A file by the IPFS CID of its bytes, or what is in a folder by that of the folder. */
  async #showByCid(
    status: PalmStatus,
    { segments: [, ...asked], query }: Target,
    token: Parameters<typeof checkScope>[0],
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new Refusal(405, 'method', words.gateway.method, { Allow: 'GET, HEAD' });
    checkScope(token, 'read');
    const { stallMs } = this.#limits;
    const folder = await folderOfCid(status, asked[0] ?? '', this.#device.cids);
    if (folder !== undefined) return this.#showBelow(status, folder, asked, query, request, response);
    await this.#withBody(async () => {
      const found = await fileOfCid(status, asked, this.#device.cids);
      const asDownload = query.has('download');
      if (response.destroyed) return;
      await sendFile(this.#device, found.file, request, response, { stallMs, asDownload, tag: found.cid });
    });
  }

  /** In a folder that was found by its CID: a name leads to the file of which that CID is the hash, too. */
  async #showBelow(
    status: PalmStatus,
    { path, cids }: { readonly path: string; readonly cids: ReadonlyMap<string, string> },
    [cid = '', ...below]: readonly string[],
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const names = below.filter((name) => name !== '');
    const isFolder = below.at(-1) === '';
    const folder = [path, ...names.slice(0, -1)].join('/');
    const file = isFolder ? undefined : fileIn(status, folder, names.at(-1) ?? '');
    if (file !== undefined) {
      const { stallMs } = this.#limits;
      const asDownload = query.has('download');
      return this.#withBody(async () => {
        if (!(await checkClaim(file, this.#device.cids)))
          throw new Refusal(404, 'unknown-file', words.gateway.noSuchCid);
        if (response.destroyed) return;
        const tag = sameCid(file.cid ?? '') ?? file.fileId;
        await sendFile(this.#device, file, request, response, { stallMs, asDownload, tag });
      });
    }
    const listing = listingOf(status, [path, ...names].join('/'));
    if (listing === undefined) throw new Refusal(404, 'unknown-file', words.gateway.noSuchCid);
    if (!isFolder) return redirect(response, `/ipfs/${[cid, ...names.map(escaped)].join('/')}/`);
    const shown = listingBelow(listing, names.join('/'), cids);
    response.setHeader('Vary', 'Accept');
    if (prefersJson(request)) sendJson(response, 200, { ...shown, cid: cids.get(listing.path) });
    else sendText(response, 200, 'text/html', pageOf(shown, cid));
  }

  async #take(
    status: PalmStatus,
    { segments, query }: Target,
    request: IncomingMessage,
    response: ServerResponse,
    bodyWanted: () => void,
  ): Promise<void> {
    const last = segments.at(-1) ?? '';
    const isFolder = last === '';
    if (request.method === 'PUT' && isFolder) throw new Refusal(400, 'bad-argument', words.gateway.noName);
    if (request.method === 'POST' && !isFolder)
      throw new Refusal(400, 'bad-argument', words.gateway.postToFolder);
    const name = isFolder ? nameIn(request, query) : last;
    const path = segments.slice(0, -1).join('/');
    const isNewOnly = request.headers['if-none-match'] === '*';
    if (isNewOnly && fileAt(status, path === '' ? name : `${path}/${name}`) !== undefined)
      throw new Refusal(412, 'precondition', words.gateway.thereAlready);
    const { stallMs } = this.#limits;
    const withCid = query.has('cid');
    const { fileId, deduplicated, cid } = await this.#withBody(() =>
      takeFile(this.#device, { path, name, withCid }, request, response, { stallMs, bodyWanted }),
    );
    this.#status.changed();
    const url = urlOfFile({ fileId, name });
    response.setHeader('Location', url);
    sendJson(response, 201, { fileId, deduplicated, url, ...(cid === undefined ? {} : { cid }) });
  }

  async #remove(status: PalmStatus, { segments }: Target, response: ServerResponse): Promise<void> {
    const file = fileNamed(status, segments);
    if (file === undefined) throw new Refusal(404, 'unknown-file', words.gateway.nothingHere);
    await this.#device.palm.remove(file.fileId);
    this.#status.changed();
    response.statusCode = 204;
    response.end();
  }

  async #withBody<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#bodies >= this.#limits.maxBodies)
      throw new Refusal(503, 'busy', words.gateway.busy, { 'Retry-After': String(BUSY_RETRY_S) });
    this.#bodies++;
    try {
      return await work();
    } finally {
      this.#bodies--;
    }
  }
}

/** Of `<fileId>` or `<fileId>/<name>`. What the name is decides nothing. */
function fileNamed({ files }: PalmStatus, segments: readonly string[]): FileStatus | undefined {
  const [id] = segments;
  return segments.length > 2 ? undefined : files.find((file) => file.fileId === id && isServed(file));
}

function redirect(response: ServerResponse, url: string): void {
  response.statusCode = 307;
  response.setHeader('Location', url);
  response.end();
}

function notInPool(): PalmError {
  return new PalmError({ code: 'not-in-pool', reason: 'in-none' }, { message: words.notInPool });
}
