// How long what needs other devices waits for first links.

import { expect, it } from 'vitest';
import type { RelayState, TransportEvents } from '../../../../src/core/transport-port.ts';
import { LinkChance } from '../../../../src/runtime/peer/link-chance.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { poolOf } from '../../../fixtures/peer-net.ts';

const RELAY_MS = 6_000;
const LINKING_MS = 2_000;

function opened(deviceCount = 1): { chance: LinkChance; clock: ManualClock; events: TransportEvents } {
  const clock = new ManualClock();
  const [device] = poolOf(deviceCount).devices;
  if (device === undefined) throw new Error('there is one');
  const chance = new LinkChance(clock, device.peer);
  const nothing = (): void => undefined;
  const events = chance.watching({
    linkUp: nothing,
    linkDown: nothing,
    message: nothing,
    relayState: nothing,
    rejected: nothing,
  });
  return { chance, clock, events };
}

it('a page that opens waits for the relay, and a little longer once that is there', () => {
  const { chance, clock, events } = opened();
  expect(chance.untilMs()).toBe(RELAY_MS);
  clock.advance(1_000);
  events.relayState('connected');
  expect(chance.untilMs()).toBe(1_000 + LINKING_MS);
});

it('nothing waits for long for a relay that is not there, or that comes late', () => {
  const { chance, clock, events } = opened();
  events.relayState('lost');
  expect(chance.untilMs()).toBe(RELAY_MS);
  clock.advance(60_000);
  events.relayState('connected');
  expect(chance.untilMs()).toBe(RELAY_MS + LINKING_MS);
});

it('a page that woke waits again, whether its relay survived or not', () => {
  const { chance, clock, events } = opened();
  events.relayState('connected');
  clock.advance(60_000);
  events.woke?.(0);
  expect(chance.untilMs()).toBe(60_000 + LINKING_MS);
  events.relayState('lost');
  expect(chance.untilMs()).toBe(60_000 + RELAY_MS);
});

it('nothing is waited for when all members are linked, and all events are passed on', () => {
  const clock = new ManualClock();
  const { net, devices } = poolOf(8);
  const [device, other] = devices;
  if (device === undefined || other === undefined) throw new Error('there are eight');
  const chance = new LinkChance(clock, device.peer);
  const states: RelayState[] = [];
  const nothing = (): void => undefined;
  const events = chance.watching({
    linkUp: nothing,
    linkDown: nothing,
    message: nothing,
    relayState: (state) => states.push(state),
    rejected: nothing,
  });
  expect(chance.untilMs()).toBe(-Infinity);
  net.unlink(device.id, other.id);
  expect(chance.untilMs()).toBe(RELAY_MS);
  events.relayState('connecting');
  expect(states).toEqual(['connecting']);
});
