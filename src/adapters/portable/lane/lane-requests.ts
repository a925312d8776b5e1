// The lane's requests, as a worker of a page makes them. They name no block and no token in their URL.

import { LANE_PATH } from '../../../core/model/relay-paths.ts';
import { equalBytes } from '../../../core/model/bytes.ts';
import { isPalmError } from '../../../core/model/errors.ts';
import type { BlockHash } from '../../../core/model/ids.ts';
import { BLOCK_BYTES, LANE_PATIENCE_MS } from '../../../core/model/limits.ts';
import {
  blocksHeader,
  LANE_BLOCKS_HEADER,
  MAX_RUN_BYTES,
  runHead,
  RunReader,
  type RunItem,
} from '../../../core/wire/lane-run.ts';
import { webCryptography } from '../webcrypto.ts';

/** Where the lane is, and by what right it is used. */
export interface LaneAccess {
  readonly origin: string;
  readonly token: string;
}

export interface FetchedRun {
  /** In the order of the hashes, which they match; undefined where one did not come. */
  readonly blocks: readonly (Uint8Array<ArrayBuffer> | undefined)[];
  /** Whether the answer was whole and true. */
  readonly isSound: boolean;
  /** What is left of the memory that was given. */
  readonly spent: readonly Uint8Array<ArrayBuffer>[];
}

/** Never rejects. `into`: memory for the blocks, BLOCK_BYTES each, which the callee takes. */
export async function fetchRun(
  access: LaneAccess,
  hashes: readonly BlockHash[],
  into: readonly Uint8Array<ArrayBuffer>[],
): Promise<FetchedRun> {
  const free = [...into];
  const run = new RunReader((byteCount) =>
    (free.pop() ?? new Uint8Array(BLOCK_BYTES)).subarray(0, byteCount),
  );
  let isSound = await read(access, hashes, run);
  const blocks: (Uint8Array<ArrayBuffer> | undefined)[] = hashes.map(() => undefined);
  const named = new Set<number>();
  if (run.cut !== undefined) free.push(run.cut);
  for (const { number, bytes } of run.items) {
    const hash = named.has(number) ? undefined : hashes[number];
    named.add(number);
    const isEmpty = bytes.length === 0;
    const isTrue = hash !== undefined && (isEmpty || equalBytes(await webCryptography.sha256(bytes), hash));
    if (isTrue && !isEmpty) blocks[number] = bytes;
    else free.push(bytes);
    isSound &&= isTrue;
  }
  return { blocks, isSound: isSound && named.size === hashes.length, spent: free };
}

/** Whether all were taken. Never rejects; the items stay the caller's. */
export async function bringRun(access: LaneAccess, items: readonly RunItem[]): Promise<boolean> {
  let at = 0;
  const body = new Uint8Array(Math.min(MAX_RUN_BYTES, items.length * BLOCK_BYTES + 64));
  for (const { number, bytes } of items) {
    for (const part of [runHead(number, bytes.length), bytes]) {
      body.set(part, at);
      at += part.length;
    }
  }
  try {
    return (await request(access, {}, { method: 'POST', body: body.subarray(0, at) })).ok;
  } catch {
    return false; // the link goes on
  }
}

async function read(access: LaneAccess, hashes: readonly BlockHash[], run: RunReader): Promise<boolean> {
  try {
    const response = await request(access, { [LANE_BLOCKS_HEADER]: blocksHeader(hashes) });
    const reader = response.status === 200 ? response.body?.getReader() : undefined;
    if (reader === undefined) return false;
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return true;
      try {
        run.push(value);
      } catch (error) {
        void reader.cancel().catch(() => undefined);
        if (isPalmError(error)) return false;
        throw error;
      }
    }
  } catch {
    return false; // what is whole of it counts, and the link goes on
  }
}

function request(
  { origin, token }: LaneAccess,
  headers: Readonly<Record<string, string>>,
  sent: Pick<RequestInit, 'method' | 'body'> = {},
): Promise<Response> {
  return fetch(`${origin}${LANE_PATH}`, {
    ...sent,
    headers: { ...headers, Authorization: `Bearer ${token}` },
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
    signal: AbortSignal.timeout(LANE_PATIENCE_MS),
  });
}
