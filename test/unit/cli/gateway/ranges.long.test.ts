// The same requests to the gateway and to a static file server that is known good (`send`, of Express): the
// same codes, headers and bytes. Where `send` knowingly leaves RFC 9110, requests avoid that: it compares
// If-Match weakly, If-Range as a part of the text, and heeds ranges of HEAD.

import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import send from 'send';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FileStatus } from '../../../../src/runtime/api.ts';
import { seededBytes } from '../../../e2e/seeded-bytes.ts';
import { type Answer, GatewayWorld } from '../../../fixtures/gateway-world.ts';
import { scaled, scaleNote } from '../../../scale.ts';
import { randomFrom, type SeededRandom } from '../../../sim/seeded-random.ts';

const FACTOR = 20;
const COUNT = scaled(10_000, FACTOR);
const SEED = Number(process.env['PALM_RANGE_SEED'] ?? 1);
const SIZES = [0, 1, 2, 10, 1_000, 70_001];
const COMPARED = ['content-length', 'content-range', 'content-type', 'accept-ranges', 'etag'];

const world = new GatewayWorld();
const files: FileStatus[] = [];
let server: Server;
let token: string;
let port: number;

beforeAll(async () => {
  await world.open();
  token = world.token('read');
  const root = join(world.folder, 'static');
  mkdirSync(root);
  for (const [at, size] of SIZES.entries()) {
    const file = world.put(`${size}.txt`, seededBytes(at, size));
    writeFileSync(join(root, file.name), world.bytesOf(file.fileId));
    files.push(file);
  }
  server = createServer((request, response) => {
    const name = new URL(request.url ?? '/', 'http://a').pathname.split('/').at(-1) ?? '';
    const fileId = files.find((file) => file.name === name)?.fileId ?? '';
    send(request, name, { root, lastModified: false, cacheControl: false })
      // Its own would be of the file's time, and weak.
      .on('headers', () => response.setHeader('ETag', `"${fileId}"`))
      .pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo); // it listens on a port
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await world.end();
});

test(`${COUNT} requests from seed ${SEED} are answered as by a static file server, ${scaleNote(FACTOR)}`, async () => {
  const random = randomFrom(SEED);
  const seen = new Map<number, number>();
  for (let at = 0; at < COUNT; at++) {
    const file = pick(random, files);
    const asked = requestOf(random, file);
    const path = `/f/${file.fileId}/${file.name}`;
    const ours = await world.ask(path, token, asked);
    const theirs = await world.askAt(port, path, token, asked);
    expect(shape(ours), `request ${at}: ${file.size} ${JSON.stringify(asked)}`).toEqual(shape(theirs));
    seen.set(ours.status, (seen.get(ours.status) ?? 0) + 1);
  }
  // The requests reach all that can be answered.
  expect([...seen.keys()].toSorted((a, b) => a - b)).toEqual([200, 206, 304, 412, 416]);
});

function shape({ status, headers, body }: Answer): unknown {
  const compared = Object.fromEntries(COMPARED.map((name) => [name, headers[name]]));
  // What a refusal says is each server's own.
  if (status >= 400) return { status, range: headers['content-range'] };
  // 304 needs no type: RFC 9110, 15.4.5.
  if (status === 304) return { status, etag: headers.etag };
  return { status, compared, body: body.toString('base64') };
}

function requestOf(
  random: SeededRandom,
  { fileId, size }: FileStatus,
): { method: string; headers: Record<string, string> } {
  const own = `"${fileId}"`;
  const headers: Record<string, string> = {};
  const isHead = random.below(10) === 0;
  if (!isHead && random.below(10) > 0) headers['range'] = rangeOf(random, size);
  if (random.below(5) === 0)
    headers['if-none-match'] = pick(random, [own, `W/${own}`, '"x"', '*', `"x", ${own}`]);
  if (random.below(8) === 0) headers['if-match'] = pick(random, [own, '"x"', '*', `"x", ${own}`, '"x","y"']);
  if (random.below(5) === 0) headers['if-range'] = pick(random, [own, '"x"']);
  return { method: isHead ? 'HEAD' : 'GET', headers };
}

function rangeOf(random: SeededRandom, size: number): string {
  const unit = pick(random, [
    'bytes=',
    'bytes=',
    'bytes=',
    'bytes=',
    'bytes= ',
    'Bytes=',
    'items=',
    'bytes',
    '',
  ]);
  const count = pick(random, [1, 1, 1, 1, 2, 3]);
  return (
    unit + Array.from({ length: count }, () => specOf(random, size)).join(pick(random, [',', ', ', ' ,']))
  );
}

function specOf(random: SeededRandom, size: number): string {
  const [a, b] = [numberOf(random, size), numberOf(random, size)];
  return pick(random, [
    `${a}-${b}`,
    `${a}-${b}`,
    `${a}-`,
    `-${a}`,
    a,
    '-',
    '',
    `${a}-${b}-1`,
    `${a} - ${b}`,
    '0-',
  ]);
}

function numberOf(random: SeededRandom, size: number): string {
  const near = pick(random, [0, 1, size - 1, size, size + 1]);
  return pick(random, [
    String(random.below(size + 2)),
    String(random.below(size + 2)),
    String(near),
    '99999999999999999999',
    '007',
    '-1',
    '1e3',
    '0x1',
    '',
    '\u00BD',
  ]);
}

function pick<Value>(random: SeededRandom, values: readonly [Value, ...Value[]] | readonly Value[]): Value {
  const value = values[random.below(values.length)];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}
