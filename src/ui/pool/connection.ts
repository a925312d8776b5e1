// The pool's connection in words: what works now, and what to do when something does not. Pure.

import type { PalmStatus } from '../../runtime/api.ts';
import { countOf } from '../text/units.ts';

export interface Connection {
  /** 'linked': at least one other device answers. 'waiting': none does yet. 'cut': none does and the relay is lost. */
  readonly state: 'linked' | 'waiting' | 'cut';
  readonly sentence: string;
}

/** The parts of a PoolStatus that say it. */
interface ConnectionStatus {
  readonly pool?: PalmStatus['pool'] | undefined;
  readonly devices: PalmStatus['devices'];
}

export function connectionOf({ pool, devices }: ConnectionStatus): Connection {
  const relay = pool?.relay ?? 'connecting';
  const linked = devices.filter((device) => !device.self && device.state === 'reachable').length;
  if (linked > 0) {
    const others = `Connected to ${countOf(linked, 'device')}`;
    if (relay !== 'lost') return { state: 'linked', sentence: others };
    return { state: 'linked', sentence: `${others}, going on without the relay` };
  }
  switch (relay) {
    case 'connected':
      return {
        state: 'waiting',
        sentence: pool?.alone === true ? 'No other device yet' : 'No other device is reachable now',
      };
    case 'connecting':
      return { state: 'waiting', sentence: 'Looking for the relay…' };
    case 'lost':
      return {
        state: 'cut',
        sentence: 'The relay does not answer. Check the Wi-Fi; Palm keeps trying',
      };
  }
}
