// When a device spares itself: on a low battery, and where the person asked the browser to save data.

import { expect, it } from 'vitest';
import { BrowserSparing } from '../../../../../src/adapters/browser/page/sparing.ts';

class Battery extends EventTarget {
  charging = false;
  level = 1;
}

class Connection extends EventTarget {
  saveData = false;
}

it('spares nothing where the browser tells nothing, or forbids to ask', async () => {
  expect(new BrowserSparing({}).reason).toBeUndefined();
  const forbidding = new BrowserSparing({ getBattery: () => Promise.reject(new Error('NotAllowedError')) });
  await Promise.resolve();
  expect(forbidding.reason).toBeUndefined();
});

it('spares a low battery until it charges, and tells of each change', async () => {
  const battery = new Battery();
  const sparing = new BrowserSparing({ getBattery: async () => battery });
  const seen: unknown[] = [];
  const stop = sparing.watch(() => seen.push(sparing.reason));
  await Promise.resolve();
  await Promise.resolve();
  battery.level = 0.2;
  battery.dispatchEvent(new Event('levelchange'));
  battery.charging = true;
  battery.dispatchEvent(new Event('chargingchange'));
  expect(seen).toEqual([undefined, 'battery-low', undefined]);
  stop();
  battery.charging = false;
  battery.dispatchEvent(new Event('chargingchange'));
  expect(seen).toHaveLength(3);
});

it('spares data while the person asks for it', () => {
  const connection = new Connection();
  const sparing = new BrowserSparing({ connection });
  const seen: unknown[] = [];
  sparing.watch(() => seen.push(sparing.reason));
  for (const saveData of [true, false]) {
    connection.saveData = saveData;
    connection.dispatchEvent(new Event('change'));
  }
  expect(seen).toEqual(['data-saver', undefined]);
});
