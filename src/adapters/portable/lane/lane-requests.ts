// The lane's requests, as a worker of a page makes them. They name no block and no token in their URL.

import { LANE_PATH } from '../../../core/model/relay-paths.ts';
import { equalBytes } from '../../../core/model/bytes.ts';
import { isPalmError } from '../../../core/model/errors.ts';
import type { BlockHash } from '../../../core/model/ids.ts';
import { BLOCK_BYTES, LANE_PATIENCE_MS } from '../../../core/model/limits.ts';
import {
  blocksHeader,
  LANE_BLOCKS_HEADER,
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
  /** Whether the answer was whole and true. */
  readonly isSound: boolean;
  /** What is left of the memory that was given. */
  readonly spent: readonly Uint8Array<ArrayBuffer>[];
}

/**
 * Never rejects. `into`: memory for the blocks, BLOCK_BYTES each, which the callee takes. `arrived` gets each
 * block that matches its hash, and owns it, while others are still to come.
 */
export async function fetchRun(
  access: LaneAccess,
  hashes: readonly BlockHash[],
  into: readonly Uint8Array<ArrayBuffer>[],
  arrived: (at: number, bytes: Uint8Array<ArrayBuffer>) => void,
): Promise<FetchedRun> {
  const spent = [...into];
  const run = new RunReader(hashes.length, (byteCount) =>
    (spent.pop() ?? new Uint8Array(BLOCK_BYTES)).subarray(0, byteCount),
  );
  const named = new Set<number>();
  let isSound = true;
  try {
    for await (const chunk of answerTo(access, hashes)) {
      const isRun = tookPart(run, chunk);
      for (const { number, bytes } of run.items.slice(named.size)) {
        const hash = named.has(number) ? undefined : hashes[number];
        const isEmpty = bytes.length === 0;
        const isTrue =
          hash !== undefined && (isEmpty || equalBytes(await webCryptography.sha256(bytes), hash));
        if (isTrue && !isEmpty) arrived(number, bytes);
        else spent.push(bytes);
        isSound &&= isTrue;
        // Told apart from every other, so that each item is looked at once.
        named.add(isTrue ? number : -1 - named.size);
      }
      if (!isRun) throw new Error('the lane answers with something else');
    }
  } catch {
    isSound = false; // what is whole of it counts, and the link goes on
  }
  if (run.cut !== undefined) spent.push(run.cut);
  return { isSound: isSound && named.size === hashes.length, spent };
}

/** Whether all were taken. Never rejects; the items stay the caller's. */
export async function bringRun(access: LaneAccess, items: readonly RunItem[]): Promise<boolean> {
  // Chromium sends a Blob's bytes ten times as fast as those of an array.
  const body = new Blob(items.flatMap(({ number, bytes }) => [runHead(number, bytes.length), bytes]));
  const impatience = new AbortController();
  const timer = setTimeout(() => impatience.abort(), LANE_PATIENCE_MS);
  try {
    const { status } = await request(access, {}, { method: 'POST', body, signal: impatience.signal });
    // Anything else, a login page for example, took nothing.
    return status === 204;
  } catch {
    return false; // the link goes on
  } finally {
    clearTimeout(timer);
  }
}

/** Whether it is part of a run. What was whole before it stays. */
function tookPart(run: RunReader, chunk: Uint8Array): boolean {
  try {
    run.push(chunk);
    return true;
  } catch (error) {
    if (!isPalmError(error)) throw error;
    return false;
  }
}

/** The bytes of the answer. @throws Error when there is none, or none comes for too long. */
async function* answerTo(access: LaneAccess, hashes: readonly BlockHash[]): AsyncGenerator<Uint8Array> {
  const impatience = new AbortController();
  const wait = () => setTimeout(() => impatience.abort(), LANE_PATIENCE_MS);
  let timer = wait();
  try {
    const headers = { [LANE_BLOCKS_HEADER]: blocksHeader(hashes) };
    const response = await request(access, headers, { signal: impatience.signal });
    const reader = response.status === 200 ? response.body?.getReader() : undefined;
    if (reader === undefined) throw new Error(`the lane answers ${response.status}`);
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(timer);
      timer = wait();
      yield value;
    }
  } finally {
    clearTimeout(timer);
    impatience.abort(); // whatever follows is not wanted
  }
}

function request(
  { origin, token }: LaneAccess,
  headers: Readonly<Record<string, string>>,
  sent: RequestInit,
): Promise<Response> {
  return fetch(`${origin}${LANE_PATH}`, {
    ...sent,
    headers: { ...headers, Authorization: `Bearer ${token}` },
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    referrerPolicy: 'no-referrer',
  });
}
