// The state of the pool's connection: what works now, and what to do when something does not. Pure.

import type { RelayTrouble } from '../../core/model/relay-trouble.ts';
import type { PalmStatus } from '../../runtime/api.ts';
import { words } from '../text/words.ts';

export interface Connection {
  /**
   * 'linked': at least one other device answers. 'waiting': none does yet. 'cut': none does and the relay is
   * lost.
   */
  readonly state: 'linked' | 'waiting' | 'cut';
  readonly sentence: string;
  /** The relay's page may help: it shows whether the relay runs, and asks about its certificate. */
  readonly offersRelayPage: boolean;
  /** No device is linked, though there are others: the doctor may find out why. */
  readonly offersDoctor: boolean;
}

/** The parts of a PoolStatus that it depends on. */
interface ConnectionStatus {
  readonly pool?: PalmStatus['pool'] | undefined;
  readonly devices: PalmStatus['devices'];
}

/** `trouble`: why the relay cannot be reached, once that was tried. `isSecure`: the page came over https. */
export function connectionOf(
  { pool, devices }: ConnectionStatus,
  trouble?: RelayTrouble,
  isSecure = false,
): Connection {
  const connection = stateOf({ pool, devices }, trouble, isSecure);
  const offersRelayPage = connection.state === 'cut' && trouble?.kind === 'refused' && isSecure;
  const offersDoctor =
    connection.state === 'cut' || (connection.state === 'waiting' && pool?.alone === false);
  return { ...connection, offersRelayPage, offersDoctor };
}

function stateOf(
  { pool, devices }: ConnectionStatus,
  trouble: RelayTrouble | undefined,
  isSecure: boolean,
): Omit<Connection, 'offersRelayPage' | 'offersDoctor'> {
  const relay = pool?.relay ?? 'connecting';
  const linked = devices.filter((device) => !device.self && device.state === 'reachable').length;
  if (linked > 0) {
    const sentence = relay === 'lost' ? words.connection.linkedWithoutRelay : words.connection.linked;
    return { state: 'linked', sentence: sentence(linked) };
  }
  if (relay !== 'connected' && trouble !== undefined)
    return { state: 'cut', sentence: words.connection.relayTrouble(trouble, isSecure) };
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
