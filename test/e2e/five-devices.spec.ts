// The promise itself: any devices may go while k fragments stay reachable, and a device that joins later
// reads every byte.

import type { PalmStatus } from '../../src/runtime/api.ts';
import { BLOCK_BYTES, GCM_TAG_BYTES } from '../../src/core/model/limits.ts';
import type { Device } from './device.ts';
import type { Content } from './device-calls.ts';
import { allLinked, expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

const K = 4;
const N = 8;
const SEGMENT_BYTES = K * BLOCK_BYTES - GCM_TAG_BYTES;

const CONTENTS: readonly Content[] = [
  0,
  1,
  SEGMENT_BYTES - 1,
  SEGMENT_BYTES,
  SEGMENT_BYTES + 1,
  8_000_000,
].map((length, index) => ({ seed: index + 1, length }));

test('five devices lose two, and a sixth reads everything bit-exactly', async ({ newPool, newDevice }) => {
  test.setTimeout(240_000);
  const five = await newPool(['Desktop', 'Laptop', 'Phone', 'Tablet', 'Media box']);
  const [desktop] = five;
  if (desktop === undefined) throw new Error('The pool has no device.');
  const fileIds = await storeAll(desktop);

  await desktop.waitFor('every file to be placed', ({ files }) =>
    files.every(({ inOutbox, reach, margin }) => !inOutbox && reach === N && margin >= 1),
  );
  const watch = await newDevice('Watch');
  await watch.join(await desktop.invite());
  await allLinked([watch, ...five]);

  const gone = await test.step('two devices close, k fragments of each file stay', async () => {
    const pair = losablePair(five, await desktop.status(), await idsOf(five));
    for (const device of pair) await device.closeTab();
    await watch.waitFor(
      'the two devices to be seen gone',
      (status) =>
        status.devices.filter(({ state }) => state === 'reachable').length === 4 &&
        status.files.every(({ reach }) => reach >= K),
    );
    return pair;
  });

  await test.step('the newcomer, which holds nothing, reads everything', async () => {
    const { device, files } = await watch.status();
    const holdings = files.flatMap(({ holders }) => holders.filter(({ deviceId }) => deviceId === device.id));
    expect(holdings).toEqual([]);
    for (const [index, { seed, length }] of CONTENTS.entries()) {
      expect(await watch.read(idAt(fileIds, index))).toEqual(expectedBytes(seed, length));
    }
  });

  await test.step('ranges', async () => readRanges(watch, idAt(fileIds, 5), CONTENTS[5]));

  const stillHere = five.filter((device) => !gone.includes(device));
  const tooFew = await test.step('below k the status says so, and reading fails within seconds', async () => {
    const closed: Device[] = [];
    for (const device of stillHere.slice(1)) {
      await device.closeTab();
      closed.push(device);
    }
    const big = idAt(fileIds, 5);
    await watch.waitFor('the file to be out of reach', ({ files }) =>
      files.some((file) => file.fileId === big && file.reach < K && file.margin === -1 && !file.safe),
    );
    const startedMs = performance.now();
    await expect(watch.read(big)).rejects.toMatchObject({ code: 'not-enough-fragments' });
    expect(performance.now() - startedMs, 'ms until the refusal').toBeLessThan(5_000);
    return closed;
  });

  await test.step('a device that comes back makes it readable again', async () => {
    for (const device of [...tooFew, ...gone]) await device.open();
    const back = await watch.waitFor('the files to be back', ({ files }) =>
      files.every(({ reach }) => reach >= K),
    );
    expect(back.files).toHaveLength(CONTENTS.length);
    const { seed, length } = contentAt(5);
    expect(await watch.read(idAt(fileIds, 5))).toEqual(expectedBytes(seed, length));
  });
});

async function storeAll(device: Device): Promise<string[]> {
  const fileIds: string[] = [];
  for (const content of CONTENTS) {
    const stored = await device.store(content, { name: `${content.length} bytes.bin`, k: K, n: N });
    expect(stored.deduplicated).toBe(false);
    expect(stored.placed).toBeGreaterThanOrEqual(K + Math.ceil((N - K) / 2));
    fileIds.push(stored.fileId);
  }
  return fileIds;
}

async function readRanges(device: Device, fileId: string, content: Content | undefined): Promise<void> {
  if (content === undefined) throw new Error('No such content.');
  const { seed, length } = content;
  const ranges = [
    [1_000_000, 1_000_123],
    [SEGMENT_BYTES - 1, SEGMENT_BYTES + 1],
    [SEGMENT_BYTES, 3 * SEGMENT_BYTES],
    [length - 5, length],
    [0, 1],
    [12_345, 12_345],
    [length, length],
  ] as const;
  for (const [start, end] of ranges) {
    expect(await device.read(fileId, { start, end }), `bytes ${start} to ${end}`).toEqual(
      expectedBytes(seed, length, start, end),
    );
  }
  expect(await device.read(fileId, { start: length - 77 })).toEqual(expectedBytes(seed, length, length - 77));
  for (const [start, end] of [
    [5, 4],
    [0, length + 1],
    [-1, 4],
    [0.5, 4],
    [Number.NaN, 4],
  ] as const) {
    await expect(device.read(fileId, { start, end }), `bytes ${start} to ${end}`).rejects.toMatchObject({
      code: 'bad-argument',
    });
  }
}

/** Two devices without which the others still hold k fragments of each file. */
function losablePair(
  five: readonly Device[],
  status: PalmStatus,
  ids: ReadonlyMap<Device, string>,
): Device[] {
  for (const [index, one] of five.entries()) {
    for (const other of five.slice(index + 1)) {
      const lost = [ids.get(one), ids.get(other)];
      const isEnough = status.files.every(({ holders }) => {
        const kept = holders.filter(({ deviceId }) => !lost.includes(deviceId));
        return new Set(kept.flatMap(({ fragments }) => fragments)).size >= K;
      });
      // The storer stays until the end, so that its view of the pool can be checked.
      if (isEnough && index > 0) return [one, other];
    }
  }
  throw new Error(`No two devices can be lost: ${JSON.stringify(status.files)}`);
}

async function idsOf(devices: readonly Device[]): Promise<Map<Device, string>> {
  const ids = new Map<Device, string>();
  for (const device of devices) ids.set(device, (await device.status()).device.id);
  return ids;
}

function idAt(fileIds: readonly string[], index: number): string {
  const fileId = fileIds[index];
  if (fileId === undefined) throw new Error(`File ${index} was not stored.`);
  return fileId;
}

function contentAt(index: number): Content {
  const content = CONTENTS[index];
  if (content === undefined) throw new Error(`There is no content ${index}.`);
  return content;
}
