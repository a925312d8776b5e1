// The reserve of a full disk.

import { afterEach, expect, it } from 'vitest';
import { DiskReserve } from '../../../../../src/adapters/portable/store/disk-reserve.ts';
import { TestPackFolder } from '../../../../fixtures/pack-folder.ts';

const folders: TestPackFolder[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) folder.delete();
});

it('is made once, given up once, and made again as far as there is room', async () => {
  const folder = new TestPackFolder();
  folders.push(folder);
  const reserve = new DiskReserve(folder);
  expect(await reserve.spend()).toBe(false);
  await Promise.all([reserve.restore(), reserve.restore()]);
  expect(folder.sizeOf('reserve')).toBe(512 * 1024);
  expect(await reserve.spend()).toBe(true);
  expect(await folder.names()).toEqual([]);
  let leftBytes = 100_000;
  folder.fits = (bytes) => (leftBytes -= bytes) >= 0;
  await reserve.restore();
  expect(folder.sizeOf('reserve')).toBe(3 * 32 * 1024);
  expect(folder.openNames.size).toBe(0);
});
