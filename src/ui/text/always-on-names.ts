// The devices that say that they are always on, by name.

import type { DeviceStatus } from '../../runtime/api.ts';
import { shownDeviceName } from './device-name.ts';
import { words } from './words.ts';

/** '' without any. */
export function alwaysOnNames(devices: readonly DeviceStatus[]): string {
  const alwaysOn = devices.filter(({ class: of, state }) => of === 'alwaysOn' && state !== 'gone');
  return words.placement.names(alwaysOn.map(({ name }) => shownDeviceName(name)));
}
