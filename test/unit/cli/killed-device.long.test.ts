// Devices in Node that are killed at random moments, while they add files and while they take them: what was
// acknowledged is there, and no fragment is half there.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { decodeFragmentIndex } from '../../../src/core/coding/fragment-index.ts';
import type { PalmStatus } from '../../../src/runtime/api.ts';
import { NodeDisk } from '../../fixtures/node-device.ts';
import { PalmPrograms } from '../../fixtures/palm-program.ts';
import { scaled, scaleNote, timeLimitMs } from '../../scale.ts';
import { seededBytes } from '../../e2e/seeded-bytes.ts';

const FACTOR = 8;
/** As many as one has time for: PALM_KILLS=200 takes a quarter of an hour. */
const KILLS = Number(process.env['PALM_KILLS'] ?? scaled(16, FACTOR));
const SEED = Number(process.env['PALM_KILL_SEED'] ?? 1);
/** A device that was not killed has added its file by then, ms. */
const LONGEST_WAIT_MS = 2_500;
const MOST_BYTES = 3_000_000;

const programs = new PalmPrograms();

beforeAll(
  async () => {
    await programs.build();
    await programs.startHousehold();
    await programs.join('adder');
    await programs.join('taker');
  },
  timeLimitMs(120_000, 120_000),
);
afterAll(() => programs.end());

test(
  `${KILLS} kills from seed ${SEED} lose nothing that was acknowledged, ${scaleNote(FACTOR)}`,
  async () => {
    const random = randomFrom(SEED);
    const acknowledged = new Map<string, number>();
    for (let round = 0; round < KILLS; round++) {
      const killed = round % 2 === 0 ? 'adder' : 'taker';
      const byteCount = 1 + Math.floor(random() * MOST_BYTES);
      const bytes = seededBytes(round + 1, byteCount);
      const waitMs = random() * LONGEST_WAIT_MS;
      const adding = programs.run('adder', ['add', '-', '--name', `file ${round}`, '--json'], bytes);
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      programs.kill(killed);
      const { code, stdout } = await adding;
      if (code === 0) {
        const { fileId } = JSON.parse(String(stdout)) as { fileId: string };
        acknowledged.set(fileId, round);
      }
      const status = (await programs.json(killed, ['status'])) as PalmStatus;
      if (killed !== 'adder') continue;
      const listed = new Set(status.files.map((file) => file.fileId));
      expect([...acknowledged.keys()].filter((fileId) => !listed.has(fileId))).toEqual([]);
    }
    for (const [fileId, round] of acknowledged) {
      const { stdout, stderr } = await programs.run('adder', ['get', fileId, '-']);
      expect(stdout.equals(seededBytes(round + 1, stdout.length)), `file ${round}: ${stderr}`).toBe(true);
      expect(stdout.length, `file ${round}: ${stderr}`).toBeGreaterThan(0);
    }
    for (const name of ['adder', 'taker']) {
      await programs.run(name, ['stop']);
      expect(await halfFragments(join(programs.data(name), 'device')), name).toEqual([]);
    }
    expect(acknowledged.size).toBeGreaterThan(0);
  },
  KILLS * 30_000 + 60_000,
);

/** Ids of fragments that lack their index or a block, and rows that are damaged. */
async function halfFragments(path: string): Promise<string[]> {
  const disk = new NodeDisk();
  const store = await disk.open(path);
  const half: string[] = [];
  for (const { fragmentId } of await store.fragments.list()) {
    const index = await store.fragments.getIndex(fragmentId);
    const blocks = index === undefined ? [] : decodeFragmentIndex(index).blocks;
    const found = await Promise.all(blocks.map((hash) => store.fragments.getBlock(hash)));
    if (index === undefined || found.includes(undefined)) half.push(fragmentId);
  }
  if (store.damagedRowCount() > 0) half.push(`${store.damagedRowCount()} damaged rows`);
  await disk.delete();
  return half;
}

/** Numbers in [0, 1) that a seed repeats (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
