// How a device stands, in words and since when. Pure.

import type { DeviceStatus } from '../../runtime/api.ts';
import { words } from './words.ts';

export function deviceStateText({ self, state, sinceMs }: DeviceStatus, nowMs: number): string {
  if (self) return words.devices.self;
  // The wall clock may have been set back.
  const forMs = Math.max(0, nowMs - sinceMs);
  switch (state) {
    case 'reachable':
      return words.devices.reachable;
    case 'away':
      return words.devices.away(sinceMs, nowMs);
    case 'suspect':
      return words.devices.suspect(forMs);
    case 'gone':
      return words.devices.gone(forMs);
  }
}
