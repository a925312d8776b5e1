// What the peer does about moving fragments: the parts of it, and the word that this device leaves.

import type { MonotonicMs } from '../model/time.ts';
import { send } from './peer-effects.ts';
import type { PeerEffect } from './peer-events.ts';
import type { PeerState } from './peer-state.ts';
import type { Pinning } from './pinning.ts';

export function advanceMoves(
  { moving, handingOver }: PeerState,
  pinning: Pinning,
  nowMs: MonotonicMs,
): PeerEffect[] {
  pinning.advance(nowMs);
  return [...moving.advance(nowMs), ...handingOver.advance(nowMs)].map(({ to, message }) =>
    send(to, message),
  );
}

/** This device begins to hand everything over, or stays after all: the others are told. */
export function leaving(state: PeerState, isLeaving: boolean): PeerEffect[] {
  state.handingOver.leave(isLeaving);
  state.touch();
  const features = state.features();
  return state.links.greetedDevices().map((device) => send(device, { kind: 'features', features }));
}
