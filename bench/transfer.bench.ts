// A store and a read of 100 MB over four devices beside a plain simple-peer channel, alternating, in one run.

import { Device } from '../test/e2e/device.ts';
import { allLinked, test } from '../test/e2e/palm-fixture.ts';
import { measurePlainChannel } from './plain-channel.ts';

const BYTES = 100_000_000;
const ROUNDS = 3;

interface Round {
  readonly plain: number;
  readonly storeAnswered: number;
  readonly storePlaced: number;
  readonly read: number;
}

test('store and read of 100 MB over four devices', async ({ browser, newPool, newDevice }) => {
  const devices = await newPool(['storer', 'second', 'third', 'fourth']);
  const [storer] = devices;
  if (storer === undefined) throw new Error('the pool has four devices');
  const reader = await newDevice('reader');
  await reader.join(await storer.invite());
  await allLinked([...devices, reader]);
  // The reader is a fifth device that must not become a holder: it joins, and is away while files are placed.
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await reader.closeTab();
    const plain = await measurePlainChannel(browser, BYTES);
    const stored = await measureStore(storer, round + 1);
    await reader.open();
    await allLinked([...devices, reader]);
    const read = await measureRead(reader, stored.fileId);
    rounds.push({ plain, storeAnswered: stored.answered, storePlaced: stored.placed, read });
  }
  print(rounds);
});

async function measureStore(storer: Device, seed: number): Promise<{ fileId: string; answered: number; placed: number }> {
  const outcome = await storer.page.evaluate(
    async ([seedOfFile, length]) => {
      const blob = new Blob([window.palmTest.seededBytes(seedOfFile, length)]);
      const startMs = performance.now();
      const { fileId } = await window.palm.store(blob, { name: `bench ${seedOfFile}` });
      const answeredMs = performance.now() - startMs;
      while (window.palm.status().files.find((file) => file.fileId === fileId)?.inOutbox !== false) {
        await window.palmTest.nextChange(100);
      }
      return { fileId, answeredMs, placedMs: performance.now() - startMs };
    },
    [seed, BYTES] as const,
  );
  const { fileId, answeredMs, placedMs } = outcome;
  return { fileId, answered: rateOf(answeredMs), placed: rateOf(placedMs) };
}

async function measureRead(reader: Device, fileId: string): Promise<number> {
  const elapsedMs = await reader.page.evaluate(async (id) => {
    const startMs = performance.now();
    let receivedBytes = 0;
    const stream = window.palm.read(id).getReader();
    for (let next = await stream.read(); !next.done; next = await stream.read()) receivedBytes += next.value.length;
    if (receivedBytes === 0) throw new Error('nothing was read');
    return performance.now() - startMs;
  }, fileId);
  return rateOf(elapsedMs);
}

/** MB (10^6 bytes) of file a second. */
function rateOf(elapsedMs: number): number {
  return BYTES / 1e6 / (elapsedMs / 1_000);
}

function print(rounds: readonly Round[]): void {
  const lines: readonly (readonly [string, keyof Round])[] = [
    ['plain simple-peer channel, one pair', 'plain'],
    ['store until a quorum is durable', 'storeAnswered'],
    ['store until all fragments are placed', 'storePlaced'],
    ['read at a fifth device', 'read'],
  ];
  for (const [label, key] of lines) {
    const rates = rounds.map((round) => round[key]).toSorted((a, b) => a - b);
    const ratios = rounds.map((round) => round[key] / round.plain).toSorted((a, b) => a - b);
    const middle = Math.floor(rates.length / 2);
    const spread = `${rates[0]?.toFixed(1)}-${rates.at(-1)?.toFixed(1)}`;
    console.log(`${label}: ${rates[middle]?.toFixed(1)} MB/s (${spread}), ratio ${ratios[middle]?.toFixed(2)}`);
  }
  console.log(JSON.stringify({ bytes: BYTES, devices: 4, rounds }));
}
