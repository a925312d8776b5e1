// A laptop that its browser froze for a minute: it said that it might stop, so nobody wonders about it, and
// when it goes on it blames nobody for the links that it lost.

import type { DeviceStatus } from '../../src/runtime/api.ts';
import type { DeviceCalls } from './device-calls.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { PlainChromiumDevice } from './plain-chromium.ts';
import { expectedBytes } from './seeded-bytes.ts';

const FROZEN_MS = 60_000;
/** Long enough for a page that wrongly misses others to say so. */
const AFTERWARDS_MS = 10_000;
const CONTENT = { seed: 95, length: 3_000_000 };

declare global {
  interface Window {
    /** Every state in which this page ever saw each device. */
    statesSeen: Set<string>;
  }
}

test('a laptop that was frozen for a minute accuses nobody, is not accused, and reads a file', async ({
  newPool,
  relay,
}) => {
  test.setTimeout(FROZEN_MS + AFTERWARDS_MS + 90_000);
  const others = await newPool(['Ann', 'Ben']);
  const [ann] = others;
  if (ann === undefined) throw new Error('The pool has two devices.');
  const laptop = await PlainChromiumDevice.open('Laptop', relay.app);
  try {
    await laptop.join(await ann.invite());
    const devices = [...others, laptop];
    await allLinked(devices);
    // To read it, each needs another's fragment.
    const { fileId } = await ann.store(CONTENT, { name: 'trip.mp4', k: 2, n: 3 });
    const isPlaced = (file: { fileId: string; inOutbox: boolean; holders: readonly unknown[] }): boolean =>
      file.fileId === fileId && !file.inOutbox && file.holders.length === 3;
    for (const device of devices)
      await device.waitFor('each to hold a share', (of) => of.files.some(isPlaced));
    for (const { page } of others) await page.evaluate(watchStates);
    await laptop.evaluate(watchStates, undefined);

    await laptop.freeze();
    const frozenAtMs = performance.now();
    // The others want something of it, and so find that it does not answer.
    await ann.store({ seed: 96, length: 20_000 }, { name: 'notes.txt', durability: 'fast' });
    for (const device of others)
      await device.waitFor('the laptop to be away', (of) => stateOf(of, laptop) === 'away', FROZEN_MS);
    await passUntil(frozenAtMs + FROZEN_MS);
    for (const { page } of others) expect(await page.evaluate(suspicions)).toEqual([]);

    await laptop.thaw();
    const readMs = await laptop.evaluate(async (id) => {
      const beganMs = performance.now();
      await window.palmTest.readAll(window.palm.read(id));
      return performance.now() - beganMs;
    }, fileId);
    // Only told: a busy machine would fail a bound. That 2 s suffice shows in virtual time
    // (test/sim/linking).
    test.info().annotations.push({ type: 'read after it', description: `${Math.round(readMs)} ms` });
    await allLinked(devices);
    await passUntil(performance.now() + AFTERWARDS_MS);
    for (const { page } of others) expect(await page.evaluate(suspicions)).toEqual([]);
    expect(await laptop.evaluate(suspicions, undefined)).toEqual([]);
    for (const device of devices) {
      const { notices, activity } = await device.status();
      expect([notices, activity.filter(({ kind }) => kind === 'device-gone')]).toEqual([[], []]);
    }
    expect(await laptop.read(fileId)).toEqual(expectedBytes(CONTENT.seed, CONTENT.length));
    expect(laptop.errors).toEqual([]);
  } finally {
    await laptop.close();
  }
});

function stateOf({ devices }: { readonly devices: readonly DeviceStatus[] }, of: DeviceCalls): string {
  return devices.find(({ name }) => name === of.name)?.state ?? 'unknown';
}

/** From now on the page notes every state in which it sees a device, however briefly. */
function watchStates(): void {
  window.statesSeen = new Set();
  const note = (): void => {
    for (const { name, state } of window.palm.status().devices) window.statesSeen.add(`${name}: ${state}`);
  };
  note();
  window.palm.subscribe(note);
  setInterval(note, 20);
}

function suspicions(): string[] {
  return [...window.statesSeen].filter((state) => /suspect|gone/.test(state));
}

async function passUntil(atMs: number): Promise<void> {
  await new Promise((resolve) => {
    setTimeout(resolve, atMs - performance.now());
  });
}
