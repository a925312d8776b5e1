// The lane's requests against servers that break off, lie, or send more than was asked for: what comes back
// is true, and no memory is lost.

import { createServer, type ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  bringRun,
  fetchRun,
  type FetchedRun,
  type LaneAccess,
} from '../../../../src/adapters/portable/lane/lane-requests.ts';
import { concatBytes } from '../../../../src/core/model/bytes.ts';
import { BLOCK_BYTES } from '../../../../src/core/model/limits.ts';
import { runHead, RunReader } from '../../../../src/core/wire/lane-run.ts';
import { blockOf } from '../../../fixtures/test-blocks.ts';

const BLOCKS = [1, 2, 3].map((seed) => blockOf(seed, 3_000));
const HASHES = BLOCKS.map(({ hash }) => hash);
const [FIRST, SECOND, THIRD] = BLOCKS.map(({ bytes }, number) =>
  concatBytes(runHead(number, bytes.length), bytes),
);
const WHOLE = concatBytes(...[FIRST, SECOND, THIRD].filter((item) => item !== undefined));
const ALL = BLOCKS.map(({ bytes }) => bytes);

/** Where a server answers every request so. */
async function accessTo(answer: (response: ServerResponse, body: Buffer) => void): Promise<LaneAccess> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(response, Buffer.concat(chunks)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it has a port');
  return { origin: `http://127.0.0.1:${address.port}`, token: 'A'.repeat(43) };
}

async function fetchFrom(access: LaneAccess): Promise<Fetched> {
  const blocks: (Uint8Array<ArrayBuffer> | undefined)[] = HASHES.map(() => undefined);
  const into = HASHES.map(() => new Uint8Array(BLOCK_BYTES));
  const run = await fetchRun(access, HASHES, into, (at, bytes) => {
    if (blocks[at] !== undefined) throw new Error('it came before');
    blocks[at] = bytes;
  });
  return { blocks, ...run };
}

interface Fetched extends FetchedRun {
  readonly blocks: readonly (Uint8Array<ArrayBuffer> | undefined)[];
}

describe('a run that is fetched', () => {
  test('is read from pieces of any size', async () => {
    for (const pieceBytes of [100, 7, 65_536]) {
      const access = await accessTo((response) => {
        for (let at = 0; at < WHOLE.length; at += pieceBytes)
          response.write(WHOLE.subarray(at, at + pieceBytes));
        response.end();
      });
      expect(await fetchFrom(access)).toEqual({ blocks: ALL, isSound: true, spent: [] });
    }
  });

  const wrong = SECOND?.with(500, 1) ?? WHOLE;
  test.each<[string, readonly (Uint8Array | undefined)[], (response: ServerResponse) => void]>([
    ['that is refused', [], (response) => response.writeHead(404).end()],
    ['that leads elsewhere', [], (response) => response.writeHead(302, { Location: '/' }).end()],
    [
      'that breaks off in a block',
      [ALL[0]],
      (response) => {
        response.write(WHOLE.subarray(0, 4_000), () => response.destroy());
      },
    ],
    ['that ends in a block', [ALL[0], ALL[1]], (response) => response.end(WHOLE.subarray(0, 7_000))],
    ['that ends early', [ALL[0]], (response) => response.end(FIRST)],
    [
      'with wrong bytes',
      [ALL[0], undefined, ALL[2]],
      (response) => {
        response.end(concatBytes(FIRST ?? WHOLE, wrong, THIRD ?? WHOLE));
      },
    ],
    [
      'with a number that nobody asked for',
      [ALL[0]],
      (response) => {
        response.end(concatBytes(FIRST ?? WHOLE, runHead(7, 3), new Uint8Array(3)));
      },
    ],
    ['with a block twice', [ALL[0]], (response) => response.end(concatBytes(FIRST ?? WHOLE, FIRST ?? WHOLE))],
    [
      'with a block that is too long',
      [ALL[0]],
      (response) => {
        response.end(concatBytes(FIRST ?? WHOLE, runHead(1, BLOCK_BYTES + 1)));
      },
    ],
    [
      'without an end',
      [ALL[0], ALL[1], ALL[2]],
      (response) => {
        const more = (): void => void response.write(concatBytes(WHOLE, WHOLE), more);
        more();
      },
    ],
  ])('%s, gives what is true of it', async (_, expected, answer) => {
    const { blocks, isSound, spent } = await fetchFrom(await accessTo(answer));
    expect(blocks).toEqual(HASHES.map((__, at) => expected[at]));
    expect(isSound).toBe(false);
    const owned = [...blocks.filter((bytes) => bytes !== undefined), ...spent].map(({ buffer }) => buffer);
    expect(new Set(owned).size, 'each buffer has one owner').toBe(owned.length);
    expect(owned.length).toBeGreaterThanOrEqual(HASHES.length);
  });

  test('may leave a block out', async () => {
    const parts = [FIRST ?? WHOLE, runHead(1, 0), THIRD ?? WHOLE];
    const { blocks, isSound } = await fetchFrom(
      await accessTo((response) => response.end(concatBytes(...parts))),
    );
    expect(blocks).toEqual([ALL[0], undefined, ALL[2]]);
    expect(isSound).toBe(true);
  });

  test('from nobody is none', async () => {
    const { blocks, isSound } = await fetchFrom({ origin: 'http://127.0.0.1:1', token: '' });
    expect([blocks, isSound]).toEqual([[undefined, undefined, undefined], false]);
  });
});

describe('a run that is brought', () => {
  const items = BLOCKS.map(({ bytes }, at) => ({ number: 2 ** 32 - 1 - at, bytes }));

  test('arrives as it was', async () => {
    const run = new RunReader(4, (length) => new Uint8Array(length));
    const access = await accessTo((response, body) => {
      run.push(body);
      response.writeHead(204).end();
    });
    expect(await bringRun(access, items)).toBe(true);
    expect(run.items).toEqual(items);
    expect(run.isWhole).toBe(true);
  });

  test.each<[string, (response: ServerResponse) => void]>([
    ['refused', (response) => response.writeHead(409).end()],
    ['cut', (response) => response.destroy()],
    ['answered by somebody in between', (response) => response.writeHead(200).end('welcome')],
  ])('and is %s, was not taken', async (_, answer) => {
    expect(await bringRun(await accessTo(answer), items)).toBe(false);
  });
});
