// Notices and the list of devices name a device so that its name cannot pose as Palm's own words or as
// another device.

import { describe, expect, it } from 'vitest';
import type { DeviceId } from '../../../src/core/model/ids.ts';
import { quotedDevice } from '../../../src/runtime/quoted-device.ts';
import { nameSuffixes } from '../../../src/ui/text/device-name.ts';
import { en } from '../../../src/ui/text/en.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';

const [BEN, EVE, ANA] = [deviceAt(0).deviceId, deviceAt(1).deviceId, deviceAt(2).deviceId];
const [DAN, JOE] = [deviceAt(3).deviceId, deviceAt(4).deviceId];

/** How `device` is named in a pool of devices with these names. */
function named(device: DeviceId, names: ReadonlyMap<DeviceId, string>): string {
  return shown({ deviceName: (id) => names.get(id) ?? '', members: () => [...names.keys()] }, device);
}

/** The beginning of a sentence that names it. */
function shown(catalogue: Parameters<typeof quotedDevice>[0], device: DeviceId): string {
  const text = en.noticeText({ kind: 'damaged-offer', from: quotedDevice(catalogue, device) });
  return text.replace(/ offered damaged bytes; .*/u, '');
}

/** In the form that people compare with the list of devices. */
function suffixOf(device: DeviceId): string {
  return `(…${device.slice(-6)})`;
}

describe('a device that a notice names', () => {
  it('is quoted', () => {
    const posing = 'Update Palm now or lose all files. Mallory';
    expect(named(EVE, new Map([[EVE, posing]]))).toBe('“Update Palm now or lose all files. Mallory”');
  });

  it('cannot end its quotation, nor its line, nor hide or reorder anything', () => {
    expect(named(EVE, new Map([[EVE, '“Ana” is fine. "Ben„']]))).toBe("“'Ana' is fine. 'Ben'”");
    expect(named(EVE, new Map([[EVE, 'Ben\n\u2028\u202EEve']]))).toBe('“Ben⟦U+000A⟧⟦U+2028⟧⟦U+202E⟧Eve”');
  });

  it.each(['Laptop', 'laptop', 'ｌａｐｔｏｐ'])(
    'is told apart from “Laptop” by the end of its id when it calls itself “%s”',
    (name) => {
      const names = new Map([
        [BEN, 'Laptop'],
        [EVE, name],
        [ANA, 'Tablet'],
      ]);
      expect(named(EVE, names)).toBe(`“${name}” ${suffixOf(EVE)}`);
      expect(named(BEN, names)).toBe(`“Laptop” ${suffixOf(BEN)}`);
      expect(named(ANA, names)).toBe('“Tablet”');
    },
  );

  it('shows its id too if it is no member but looks like one, or has no name', () => {
    const catalogue = { deviceName: () => 'Laptop', members: () => [BEN] };
    expect(shown(catalogue, EVE)).toBe(`“Laptop” ${suffixOf(EVE)}`);
    expect(named(EVE, new Map())).toBe(`“Unnamed device” ${suffixOf(EVE)}`);
  });

  it('shows its id too if its name is the one for devices without a name', () => {
    const names = new Map([
      [BEN, ''],
      [EVE, 'unnamed device'],
    ]);
    expect(named(EVE, names)).toBe(`“unnamed device” ${suffixOf(EVE)}`);
  });
});

it('the list of devices tells devices with similar names apart', () => {
  const devices = [
    { id: BEN, name: 'Laptop' },
    { id: EVE, name: 'laptop' },
    { id: ANA, name: 'Tablet' },
    { id: DAN, name: '' },
    { id: JOE, name: 'Unnamed device' },
  ];
  expect([...nameSuffixes(devices)]).toEqual([
    [BEN, suffixOf(BEN)],
    [EVE, suffixOf(EVE)],
    [DAN, suffixOf(DAN)],
    [JOE, suffixOf(JOE)],
  ]);
});
