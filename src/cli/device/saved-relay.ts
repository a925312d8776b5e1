// Where the relay of a device is, as its folder says.

import { existsSync, readFileSync } from 'node:fs';
import { RELAY_PATH } from '../../core/wire/relay-protocol.ts';

/** The relay of this machine, where none was named. */
const OWN_RELAY = 'http://localhost:8080/';
export const SETTINGS_FILE = 'settings.json';

/** `file`: the device's settings, which need not be there. @throws when they cannot be read. */
export function savedOrigin(file: string): string {
  if (!existsSync(file)) return OWN_RELAY;
  const settings: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const isWhole = typeof settings === 'object' && settings !== null && 'relay' in settings;
  return isWhole && typeof settings.relay === 'string' ? settings.relay : OWN_RELAY;
}

/** Where the WebSocket of the relay is that a device will ask, as far as its settings can be read. */
export function relayUrlIn(file: string): string {
  try {
    return socketUrlOf(savedOrigin(file));
  } catch {
    // `palm up` says what is wrong with them.
    return socketUrlOf(OWN_RELAY);
  }
}

/** Where its WebSocket listens. */
export function socketUrlOf(origin: string): string {
  const url = new URL(RELAY_PATH, origin);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
