// Blocks between a page and the device next to its relay go by HTTPS: seen as requests of the page's workers,
// cut in the middle of a read, and never named in what the relay prints.

import type { BrowserContext } from '@playwright/test';
import { expect, test } from './palm-fixture.ts';
import { startHousehold } from './node-device.ts';
import { expectedBytes } from './seeded-bytes.ts';

const BYTES = 20_000_000;
/** What one request brings at most. */
const RUN_BYTES = 4 * 2 ** 18;
/** Requests of a read that are answered before the lane is cut. */
const BEFORE_CUT = 2;

test('a file is stored and read by the fast lane, and read on when the lane is cut', async ({
  newDevice,
  faults,
}) => {
  const household = await startHousehold();
  try {
    const invited = async () => JSON.parse(String((await household.palm(['invite', '--json'])).stdout));
    const laptop = await newDevice('Laptop', household);
    const toHousehold = watchLane(laptop.page.context());
    await laptop.join((await invited()).invite);
    const mirror = { name: 'film.mp4', k: 1, n: 2, mirror: true };
    const { fileId } = await laptop.store({ seed: 7, length: BYTES }, mirror);
    await laptop.waitFor('its home next to the relay', ({ files }) =>
      files.every(({ inOutbox }) => !inOutbox),
    );
    expect(toHousehold.count('POST'), 'runs that were brought').toBeGreaterThan((0.8 * BYTES) / RUN_BYTES);
    expect(toHousehold.failedCount()).toBe(0);

    const phone = await newDevice('Phone', household);
    const fromHousehold = watchLane(phone.page.context());
    await phone.join((await invited()).invite);
    await phone.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
    await laptop.closeTab();
    expect(await phone.read(fileId)).toEqual(expectedBytes(7, BYTES));
    expect(fromHousehold.count('GET')).toBeGreaterThan(BEFORE_CUT);

    const before = fromHousehold.count('GET');
    faults.allow(/lane|net::ERR_FAILED/u);
    await phone.page.context().route('**/lane', async (route) => {
      if (fromHousehold.count('GET') - before > BEFORE_CUT) await route.abort();
      else await route.continue();
    });
    expect(await phone.read(fileId)).toEqual(expectedBytes(7, BYTES));
    expect(fromHousehold.failedCount(), 'the lane was cut').toBeGreaterThan(0);

    for (const secret of [...toHousehold.secrets, ...fromHousehold.secrets])
      expect(household.printed()).not.toContain(secret);
    expect(toHousehold.secrets.size).toBeGreaterThan(0);
    await phone.closeTab();
  } finally {
    expect(await household.stop()).toBe(0);
  }
});

interface LaneWatch {
  count(method: string): number;
  failedCount(): number;
  /** Tokens and hashes. */
  readonly secrets: ReadonlySet<string>;
}

function watchLane(context: BrowserContext): LaneWatch {
  const sent: string[] = [];
  const secrets = new Set<string>();
  let failedCount = 0;
  const isLane = (url: string): boolean => new URL(url).pathname === '/lane';
  context.on('request', (request) => {
    if (!isLane(request.url())) return;
    const { authorization = '', 'palm-blocks': hashes = '' } = request.headers();
    sent.push(request.method());
    for (const secret of [authorization.slice('Bearer '.length), ...hashes.split(',')])
      if (secret.length > 40) secrets.add(secret);
  });
  context.on('requestfailed', (request) => {
    if (isLane(request.url())) failedCount += 1;
  });
  return {
    count: (method) => sent.filter((each) => each === method).length,
    failedCount: () => failedCount,
    secrets,
  };
}
