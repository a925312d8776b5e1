// The gateway of a real device, in a pool of three: what is put comes back bit by bit, whole and in parts,
// and while the others are away the answer says why not.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PalmStatus } from '../../../../src/runtime/api.ts';
import { seededBytes } from '../../../e2e/seeded-bytes.ts';
import { PalmPrograms } from '../../../fixtures/palm-program.ts';
import { scaled, timeLimitMs } from '../../../scale.ts';

const BYTES = scaled(200_000_000, 50);
const PART = { start: 2_000_001, end: 2_200_000 };

const programs = new PalmPrograms();

beforeAll(async () => {
  await programs.build();
  await programs.startHousehold();
  await programs.join('adder');
  await programs.join('taker');
}, 120_000);

afterAll(() => programs.end());

test(
  `a file of ${BYTES} bytes through the gateway, there and back`,
  async () => {
    const { url } = (await programs.json('adder', ['gateway', '--port', '0'])) as { url: string };
    const created = ['token', 'create', '--name', 'test', '--scope', 'read,add'];
    const { token } = (await programs.json('adder', created)) as { token: string };
    const headers = { authorization: `Bearer ${token}` };
    const bytes = seededBytes(9, BYTES);
    const put = await fetch(`${url}f/films/a%20film.mp4`, { method: 'PUT', headers, body: bytes });
    expect(put.status, await put.clone().text()).toBe(201);
    const got = await fetch(`${url}f/films/a%20film.mp4`, { headers });
    expect([got.status, got.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    expect(Buffer.from(await got.arrayBuffer()).equals(bytes)).toBe(true);
    const ranged = { ...headers, range: `bytes=${PART.start}-${PART.end - 1}` };
    const part = await fetch(`${url}f/films/a%20film.mp4`, { headers: ranged });
    expect([part.status, part.headers.get('content-range')]).toEqual([
      206,
      `bytes ${PART.start}-${PART.end - 1}/${BYTES}`,
    ]);
    expect(Buffer.from(await part.arrayBuffer()).equals(bytes.subarray(PART.start, PART.end))).toBe(true);
    expect((await fetch(url)).status).toBe(401);

    // The copies are let go: this device alone opens nothing then.
    for (;;) {
      const { files } = (await programs.json('adder', ['status'])) as PalmStatus;
      if (files.every(({ inOutbox }) => !inOutbox)) break;
    }
    await programs.stopHousehold();
    programs.kill('taker');
    const refused = await fetch(`${url}f/films/a%20film.mp4`, { headers });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
    expect(await refused.text()).toMatch(/fragment|part|device/iu);
  },
  timeLimitMs(120_000, 300_000),
);
