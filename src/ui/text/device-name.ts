// Names of devices: as the screen shows them, and a first guess for this one from the user-agent string,
// which people change and nothing depends on. Pure.

import { idSuffix, lookOf } from '../../core/model/device-label.ts';
import { visibleName } from '../../core/model/visible-name.ts';
import { words } from './words.ts';

const DEVICES: readonly (readonly [RegExp, keyof typeof words.names.devices])[] = [
  [/iPhone/u, 'iphone'],
  [/iPad/u, 'ipad'],
  [/Android.*Mobile/u, 'androidPhone'],
  [/Android/u, 'androidTablet'],
  [/CrOS/u, 'chromebook'],
  [/Macintosh/u, 'mac'],
  [/Windows/u, 'windows'],
  [/Linux/u, 'linux'],
];

/** In this order: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(?:e|A|iOS)?\//u, 'Edge'],
  [/OPR\//u, 'Opera'],
  [/SamsungBrowser\//u, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//u, 'Firefox'],
  [/Chrome\/|CriOS\/|Chromium\//u, 'Chrome'],
  [/Safari\//u, 'Safari'],
];

/** `name` with every invisible character written out; 'Unnamed device' for none. */
export function shownDeviceName(name: string): string {
  return visibleName(name) || words.names.unnamedDevice;
}

/** The suffix of names of devices that look like another one's, by device. */
export function nameSuffixes(
  devices: readonly { readonly id: string; readonly name: string }[],
): ReadonlyMap<string, string> {
  const counts = new Map<string, number>();
  for (const { name } of devices) counts.set(shownLook(name), (counts.get(shownLook(name)) ?? 0) + 1);
  const alike = devices.filter(({ name }) => (counts.get(shownLook(name)) ?? 0) > 1);
  return new Map(alike.map(({ id }) => [id, idSuffix(id)]));
}

function shownLook(name: string): string {
  return lookOf(name || words.names.unnamedDevice);
}

/**
 * For example "Android phone (Chrome)"; "This device" when nothing is recognised. At most 64 bytes of UTF-8.
 */
export function guessDeviceName(userAgent: string): string {
  const device = firstMatch(DEVICES, userAgent);
  const browser = firstMatch(BROWSERS, userAgent);
  if (device === undefined) return words.names.thisDevice;
  const name = words.names.devices[device];
  return browser === undefined ? name : words.names.deviceWith(name, browser);
}

function firstMatch<Kind>(table: readonly (readonly [RegExp, Kind])[], text: string): Kind | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}
