// The memory of a device in Node while a large file is added and got from the shell, as the system counts it.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PalmPrograms } from '../../fixtures/palm-program.ts';
import { scaled, scaleNote } from '../../scale.ts';
import { seededBytes } from '../../e2e/seeded-bytes.ts';

const FACTOR = 16;
const BYTES = scaled(2 ** 30, FACTOR);
/** Above idle, at most; a smaller file takes as much, because memory does not grow with it. */
const MOST_BYTES = 150 * 2 ** 20;
const SAMPLE_EVERY_MS = 100;

const programs = new PalmPrograms();

beforeAll(async () => {
  await programs.build();
}, 120_000);
afterAll(() => programs.end());

/** What the system counts as a process's own, bytes; only Linux tells. */
function residentBytes(pid: number): number {
  const [, kilobytes = '0'] = /^VmRSS:\s+(\d+) kB/mu.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kilobytes) * 1_024;
}

/** The most that the device takes above idle while `work` goes on. */
async function peakDuring(
  pid: number,
  idleBytes: number,
  work: Promise<{ code: number | null }>,
): Promise<number> {
  let most = 0;
  const timer = setInterval(() => (most = Math.max(most, residentBytes(pid) - idleBytes)), SAMPLE_EVERY_MS);
  try {
    expect((await work).code).toBe(0);
  } finally {
    clearInterval(timer);
  }
  return most;
}

// Elsewhere nothing says what a process takes.
test.runIf(process.platform === 'linux')(
  `${BYTES / 2 ** 20} MiB are added and got in bounded memory, ${scaleNote(FACTOR)}`,
  async () => {
    await programs.json('adder', ['create', 'Home']);
    const pid = Number(readFileSync(join(programs.data('adder'), 'device', 'pid'), 'utf8'));
    const file = join(programs.data('adder'), 'film');
    // In parts: one buffer of all of it would be this process's limit.
    for (let at = 0; at < BYTES; at += 2 ** 24)
      writeFileSync(file, seededBytes(at, Math.min(2 ** 24, BYTES - at)), { flag: 'a' });
    const idleBytes = residentBytes(pid);
    const added = await peakDuring(pid, idleBytes, programs.run('adder', ['add', file]));
    const got = await peakDuring(pid, idleBytes, programs.run('adder', ['get', 'film', `${file}.got`]));
    expect({ added: added < MOST_BYTES, got: got < MOST_BYTES }, `${added} and ${got} bytes`).toEqual({
      added: true,
      got: true,
    });
    // It did something at all.
    expect(Math.min(added, got)).toBeGreaterThan(2 ** 20);
  },
  900_000,
);
