// The state of the pool's connection: what works now, and what to do when something does not. Pure.

import type { PalmStatus } from '../../runtime/api.ts';
import { words } from '../text/words.ts';

export interface Connection {
  /**
   * 'linked': at least one other device answers. 'waiting': none does yet. 'cut': none does and the relay is
   * lost.
   */
  readonly state: 'linked' | 'waiting' | 'cut';
  readonly sentence: string;
}

/** The parts of a PoolStatus that it depends on. */
interface ConnectionStatus {
  readonly pool?: PalmStatus['pool'] | undefined;
  readonly devices: PalmStatus['devices'];
}

export function connectionOf({ pool, devices }: ConnectionStatus): Connection {
  const relay = pool?.relay ?? 'connecting';
  const linked = devices.filter((device) => !device.self && device.state === 'reachable').length;
  if (linked > 0) {
    const sentence = relay === 'lost' ? words.connection.linkedWithoutRelay : words.connection.linked;
    return { state: 'linked', sentence: sentence(linked) };
  }
  switch (relay) {
    case 'connected':
      return {
        state: 'waiting',
        sentence: pool?.alone === true ? words.connection.noOtherYet : words.connection.noneReachable,
      };
    case 'connecting':
      return { state: 'waiting', sentence: words.connection.lookingForRelay };
    case 'lost':
      return {
        state: 'cut',
        sentence: words.connection.relayLost,
      };
  }
}
