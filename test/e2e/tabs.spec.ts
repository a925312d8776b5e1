// Several tabs of one browser are one device: one tab runs it, the others use it through that one, and go on
// when it ends.

import { allLinked, expect, test } from './palm-fixture.ts';
import { PlainChromiumDevice } from './plain-chromium.ts';
import { expectedBytes } from './seeded-bytes.ts';

const FILM = { seed: 91, length: 60_000_000 };
const FROZEN = { seed: 94, length: 40_000_000 };
const NOTES = { seed: 92, length: 400_000 };

test('a second tab stores, reads, invites and removes, and goes on when the first is killed', async ({
  newPool,
  faults,
}) => {
  test.setTimeout(120_000);
  faults.allow(/Laptop: the page crashed/);
  const [laptop, phone] = await newPool(['Laptop', 'Phone', 'Tablet']);
  if (laptop === undefined || phone === undefined) throw new Error('A device is missing.');
  const second = await laptop.openSecondTab();
  const { id } = (await laptop.status()).device;

  await test.step('the second tab shows the pool and does everything at once', async () => {
    await expect(second.page.getByRole('list', { name: 'Devices' }).getByRole('listitem')).toHaveCount(3);
    expect((await second.status()).device.id).toBe(id);
    const { fileId } = await second.store(NOTES, { name: 'notes.txt' });
    for (const tab of [laptop, second]) {
      await tab.waitFor('the file', ({ files }) => files.some((file) => file.fileId === fileId));
      expect(await tab.read(fileId)).toEqual(expectedBytes(NOTES.seed, NOTES.length));
    }
    expect(await second.invite()).toContain('#/join/');
    await second.page.evaluate((file) => window.palm.remove(file), fileId);
    expect((await second.status()).files).toEqual([]);
    await laptop.waitFor('the removal', ({ files }) => files.length === 0);
    await expect(
      second.page.evaluate(() => window.palm.remove('nonsense').catch((error) => error.code)),
    ).resolves.toBe('unknown-file');
  });

  const kept = await laptop.store({ seed: 93, length: 8_000_000 }, { name: 'kept.bin' });

  await test.step('a store and a read of the second tab go on when the first is killed', async () => {
    await second.waitFor('the file', ({ files }) => files.length === 1);
    await second.page.evaluate(
      ({ film, fileId }) => {
        const blob = new Blob([window.palmTest.seededBytes(film.seed, film.length)]);
        const stored = window.palmTest.outcome(() => window.palm.store(blob, { name: 'film.mp4' }));
        const reader = window.palm.read(fileId).getReader();
        let go: (() => void) | undefined;
        const going = new Promise<void>((resolve) => (go = resolve));
        const rest = async () => {
          const chunks = [(await reader.read()).value];
          await going;
          for (let next = await reader.read(); !next.done; next = await reader.read())
            chunks.push(next.value);
          const bytes = await new Blob(chunks.flatMap((chunk) => chunk ?? [])).arrayBuffer();
          const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));
          const sha256 = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
          return { length: bytes.byteLength, sha256 };
        };
        Object.assign(window, { stored, read: rest(), go });
      },
      { film: FILM, fileId: kept.fileId },
    );
    await second.waitFor('half of the store', ({ transfers }) =>
      transfers.some(({ phase, doneBytes }) => phase === 'sealing' && doneBytes > FILM.length / 3),
    );
    await laptop.killTab();
    await second.page.evaluate(() => Reflect.get(window, 'go')());
    expect(await second.page.evaluate(() => Reflect.get(window, 'read'))).toEqual(
      expectedBytes(93, 8_000_000),
    );
    const stored = await second.page.evaluate(() => Reflect.get(window, 'stored'));
    expect(stored).toMatchObject({ kind: 'ok' });
    await allLinked([second, phone]);
    const { fileId } = stored.value;
    await phone.waitFor('the film', ({ files }) => files.some((file) => file.fileId === fileId));
    expect(await phone.read(fileId)).toEqual(expectedBytes(FILM.seed, FILM.length));
    expect((await second.status()).unfinished).toEqual([]);
    expect((await second.status()).device.id).toBe(id);
  });
});

test('a tab that the browser freezes gives the device to another, and wakes as one of the others @long', async ({
  newPool,
  relay,
}) => {
  const [phone] = await newPool(['Phone']);
  if (phone === undefined) throw new Error('A device is missing.');
  const laptop = await PlainChromiumDevice.open('Laptop', relay.app);
  try {
    await laptop.join(await phone.invite());
    const { id } = (await laptop.status()).device;
    await laptop.evaluate(({ seed, length }) => {
      const blob = new Blob([window.palmTest.seededBytes(seed, length)]);
      const stored = window.palmTest.outcome(() => window.palm.store(blob, { name: 'frozen.bin' }));
      Object.assign(window, { stored });
    }, FROZEN);
    await laptop.waitFor('sealing', ({ transfers }) => transfers.some(({ doneBytes }) => doneBytes > 0));
    await laptop.freeze();

    await laptop.openTab(relay.app);
    await laptop.waitFor('the interrupted store', ({ unfinished }) => unfinished.length === 1);
    expect((await laptop.status()).device.id).toBe(id);
    const { fileId } = await laptop.store(NOTES, { name: 'notes.txt' });
    await phone.waitFor('the notes', ({ files }) => files.some((file) => file.fileId === fileId));

    laptop.turnTo(0);
    await laptop.thaw();
    const stored = await laptop.evaluate(() => Reflect.get(window, 'stored'), undefined);
    expect(stored).toMatchObject({ kind: 'ok', value: { deduplicated: false } });
    for (const tab of [0, 1]) {
      laptop.turnTo(tab);
      const { files, unfinished, devices, notices } = await laptop.waitFor('both files', (status) => {
        return status.files.length === 2 && status.unfinished.length === 0;
      });
      expect([files.length, unfinished, devices.length, notices]).toEqual([2, [], 2, []]);
    }
    expect(await phone.read(stored.value.fileId)).toEqual(expectedBytes(FROZEN.seed, FROZEN.length));
    const record = await phone.page.evaluate(() => window.palm.record());
    expect(record.events).toEqual([]);
    expect(laptop.errors).toEqual([]);
  } finally {
    await laptop.close();
  }
});
