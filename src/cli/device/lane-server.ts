// The lane's requests, answered next to the relay in its process: GET brings blocks to a page, POST from it.
//
// Invariants: a request without a live token is not answered here, so the relay answers it as any path that
// is not there; what one request can make this device hold is a run of blocks; nothing is logged.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { AbortWatch } from '../../core/abort-watch.ts';
import type { LaneCaller, LaneDoor, LaneHost } from '../../core/lane-port.ts';
import { isPalmError } from '../../core/model/errors.ts';
import type { BlockHash } from '../../core/model/ids.ts';
import { LANE_RUN_BLOCKS } from '../../core/model/limits.ts';
import {
  hashesInHeader,
  LANE_BLOCKS_HEADER,
  MAX_RUN_BYTES,
  runHead,
  RunReader,
} from '../../core/wire/lane-run.ts';
import { leavingOf, written } from '../gateway/written.ts';

const BEARER = /^Bearer ([\w-]{43})$/u;

/** Blocks that are read ahead of the one that goes out: the disk and the network work at once. */
const READ_AHEAD = 4;

/** What was moved, for tests and benches. */
export interface LaneCounts {
  sentBlocks: number;
  takenBlocks: number;
}

export class LaneServer implements LaneHost {
  /** The relay sets it, once it runs. */
  origins: () => readonly string[] = () => [];
  readonly counts: LaneCounts = { sentBlocks: 0, takenBlocks: 0 };
  readonly #doors = new Set<LaneDoor>();
  readonly #aborts = new AbortWatch();

  open(door: LaneDoor): () => void {
    this.#doors.add(door);
    return () => this.#doors.delete(door);
  }

  /** Whether the request showed a live token; then it is answered. */
  answer(request: IncomingMessage, response: ServerResponse): boolean {
    const token = BEARER.exec(request.headers.authorization ?? '')?.[1];
    const caller = token === undefined ? undefined : this.#callerOf(token);
    if (caller === undefined) return false;
    response.setHeader('Cache-Control', 'no-store');
    const done = caller.begin();
    if (done === undefined) {
      refuse(response, 429);
      return true;
    }
    // The link that gave the token is gone, and the request with it.
    const end = (): void => void request.socket.destroy();
    const unwatch = this.#aborts.watch(caller.signal, end);
    this.#work(caller, request, response)
      .catch(() => request.socket.destroy()) // the page asks over the link
      .finally(() => {
        unwatch();
        done();
      });
    return true;
  }

  #callerOf(token: string): LaneCaller | undefined {
    for (const door of this.#doors) {
      const caller = door.callerOf(token);
      if (caller !== undefined) return caller;
    }
    return undefined;
  }

  #work(caller: LaneCaller, request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === 'GET') return this.#send(caller, request, response);
    if (request.method === 'POST') return this.#take(caller, request, response);
    refuse(response, 405);
    return Promise.resolve();
  }

  async #send(caller: LaneCaller, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const hashes = hashesOf(request);
    if (hashes === undefined) return refuse(response, 400);
    response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
    const leaving = leavingOf(response);
    // The next blocks are read while this one goes out.
    const loading: Promise<Uint8Array<ArrayBuffer> | undefined>[] = [];
    const load = (hash: BlockHash | undefined): void => {
      if (hash === undefined || leaving.signal.aborted) return;
      const coming = caller.load(hash);
      coming.catch(() => undefined); // thrown at its turn
      loading.push(coming);
    };
    for (const hash of hashes.slice(0, READ_AHEAD)) load(hash);
    const sending: Promise<void>[] = [];
    for (const [at, hash] of hashes.entries()) {
      const bytes = await loading[at];
      load(hashes[at + READ_AHEAD]);
      // One block waits while another leaves.
      await sending[at - 2];
      // The head and its block leave as one piece.
      response.cork();
      response.write(runHead(at, bytes?.length ?? 0));
      sending.push(
        bytes === undefined
          ? Promise.resolve()
          : this.#sendBlock(caller, response, hash, bytes, leaving.signal),
      );
      response.uncork();
    }
    await Promise.all(sending);
    response.end();
  }

  async #sendBlock(
    caller: LaneCaller,
    response: ServerResponse,
    hash: BlockHash,
    bytes: Uint8Array<ArrayBuffer>,
    leaving: AbortSignal,
  ): Promise<void> {
    const isSent = await written(response, bytes, leaving);
    caller.spent(hash, bytes, isSent);
    if (isSent) this.counts.sentBlocks += 1;
  }

  async #take(caller: LaneCaller, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const byteCount = Number(request.headers['content-length'] ?? NaN);
    if (!(byteCount > 0 && byteCount <= MAX_RUN_BYTES)) return refuse(response, 413);
    const run = new RunReader(LANE_RUN_BLOCKS, (length) => caller.memory(length));
    try {
      for await (const chunk of request) if (chunk instanceof Uint8Array) run.push(chunk);
    } catch (error) {
      if (isPalmError(error)) return refuse(response, 400);
      throw error;
    }
    if (!run.isWhole) return refuse(response, 400);
    const taken = await Promise.all(run.items.map((item) => caller.take(item)));
    this.counts.takenBlocks += taken.filter((isTaken) => isTaken).length;
    response.writeHead(taken.includes(false) ? 409 : 204).end();
  }
}

function hashesOf(request: IncomingMessage): BlockHash[] | undefined {
  const header = request.headers[LANE_BLOCKS_HEADER.toLowerCase()];
  if (typeof header !== 'string') return undefined;
  try {
    return hashesInHeader(header);
  } catch {
    return undefined;
  }
}

/** Nobody reads a body that may follow. */
function refuse(response: ServerResponse, status: number): void {
  response.writeHead(status, { Connection: 'close' }).end();
}
