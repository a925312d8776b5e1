// A device in the relay's lobby, over a relay client of its own.

import type { LobbyEntry, LobbyEvents, LobbySocket } from '../../../core/nearby/nearby-port.ts';
import type { Rejection } from '../../../core/model/failures.ts';
import { type ListedPool, RELAY_CLOSE } from '../../../core/wire/relay-protocol.ts';
import { MAX_LISTED_POOLS } from '../../../core/model/limits.ts';
import { RelayClient, type RelayClientEvents, type RelayClientOptions } from './relay-client.ts';

/** What the relay says to one that was silent: a page that slept comes back. */
const SLEPT: readonly string[] = [RELAY_CLOSE.idle.reason, RELAY_CLOSE.tooSlow.reason];

export function enterLobby(
  options: Omit<RelayClientOptions, 'entry'>,
  entry: LobbyEntry,
  events: LobbyEvents,
): LobbySocket {
  const client = new RelayClient({ ...options, entry });
  let pools: readonly ListedPool[] = [];
  let isClosed = false;
  const show = (now: readonly ListedPool[]): void => {
    // A relay that lists without end is not followed.
    pools = now.slice(0, MAX_LISTED_POOLS);
    events.pools(pools);
  };
  const close = (): void => {
    isClosed = true;
    client.close();
  };
  const heard: RelayClientEvents = {
    state: (state) => {
      if (isClosed) return;
      if (state === 'lost' && pools.length > 0) show([]);
      events.state(state);
    },
    entered: () => undefined,
    pools: show,
    listed: (pool) => show([...pools.filter(({ id }) => id !== pool.id), pool]),
    arrived: () => undefined,
    departed: (id) => {
      if (pools.some((pool) => pool.id === id)) show(pools.filter((pool) => pool.id !== id));
      events.departed(id);
    },
    envelope: (from, letter) => events.letter(from, letter),
    rejected: (rejection) => {
      if (isClosed || hasSlept(rejection)) return;
      close();
      events.refused('detail' in rejection ? rejection.detail : rejection.kind);
    },
  };
  // The caller has the socket before it hears of it.
  queueMicrotask(() => {
    if (!isClosed) client.open(heard);
  });
  return { write: (to, letter) => client.forward(to, letter), close };
}

function hasSlept(rejection: Rejection): boolean {
  return rejection.kind === 'relay-closed' && SLEPT.includes(rejection.detail);
}
