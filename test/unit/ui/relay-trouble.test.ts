// When a page tries why its relay cannot be reached: one try at a time, and only while nobody is connected.

import { expect, it } from 'vitest';
import type { RelayTrouble } from '../../../src/core/model/relay-trouble.ts';
import { watchRelay } from '../../../src/ui/state/relay-trouble.ts';
import type { PalmStatus } from '../../../src/runtime/api.ts';
import { ManualClock } from '../../fixtures/manual-clock.ts';

type Relay = NonNullable<PalmStatus['pool']>['relay'];

const STATUS: PalmStatus = {
  device: { id: 'self', name: 'Phone' },
  devices: [],
  files: [],
  transfers: [],
  unfinished: [],
  repairs: [],
  activity: [],
  lock: 'none',
  notices: [],
};

function watched() {
  const clock = new ManualClock();
  let status: PalmStatus = STATUS;
  let changed = (): void => undefined;
  let networkChanged = (): void => undefined;
  let slow = (): void => undefined;
  const tries: ((found: RelayTrouble) => void)[] = [];
  const watch = watchRelay(
    {
      status: () => status,
      subscribe: (listener) => {
        changed = listener;
        return () => (changed = () => undefined);
      },
    },
    (isSlow) =>
      new Promise((resolve) => {
        tries.push(resolve);
        slow = isSlow;
      }),
    (delayMs, callback) => clock.after(delayMs, callback),
    (callback) => {
      networkChanged = callback;
      return () => (networkChanged = () => undefined);
    },
  );
  return {
    clock,
    watch,
    tries,
    relay: (relay: Relay, linked = false) => {
      const state = linked ? 'reachable' : 'away';
      const other = { id: 'other', name: 'Tablet', class: 'laptop', graceMs: 0, self: false, state } as const;
      status = {
        ...STATUS,
        pool: { id: 'pool', name: 'Home', relay, alone: false, invitesEnd: true },
        devices: [{ ...other, heldBytes: 0, sinceMs: 0 }],
      };
      changed();
    },
    isSlow: () => slow(),
    networkChanges: () => networkChanged(),
    found: async (trouble: RelayTrouble) => {
      tries.at(-1)?.(trouble);
      await Promise.resolve();
      await Promise.resolve();
    },
  };
}

it('tries once the relay is lost, then less and less often, and never twice at a time', async () => {
  const { clock, watch, tries, relay, found, networkChanges } = watched();
  relay('connecting');
  expect(tries).toHaveLength(0);
  relay('lost');
  relay('connecting');
  relay('lost');
  networkChanges();
  expect(tries).toHaveLength(1);
  await found({ kind: 'no-socket' });
  expect(watch.trouble.value).toEqual({ kind: 'no-socket' });
  for (let tried = 1; tried <= 5; tried++) {
    clock.advance(1_000);
    expect(tries).toHaveLength(tried);
    clock.advance(30_000);
    expect(tries).toHaveLength(tried + 1);
    clock.advance(600_000);
    expect(tries, 'while one runs').toHaveLength(tried + 1);
    await found({ kind: 'refused' });
  }
});

it('tries again at once when the network changes', async () => {
  const { tries, relay, found, networkChanges, watch } = watched();
  relay('lost');
  await found({ kind: 'offline' });
  networkChanges();
  expect(tries).toHaveLength(2);
  await found({ kind: 'passed' });
  expect(watch.trouble.value).toEqual({ kind: 'passed' });
});

it('forgets the trouble once the relay or a device is connected, also one that is found later', async () => {
  const { clock, watch, tries, relay, found } = watched();
  relay('lost');
  await found({ kind: 'refused' });
  relay('connected');
  expect(watch.trouble.value).toBeUndefined();
  clock.advance(600_000);
  relay('lost', true);
  expect(tries, 'a linked device works without the relay').toHaveLength(1);
  relay('lost');
  expect(tries).toHaveLength(2);
  relay('connected');
  await found({ kind: 'refused' });
  expect(watch.trouble.value).toBeUndefined();
});

it('says that the relay answers while its WebSocket takes long to try, except where one was stopped', async () => {
  const { clock, watch, relay, found, isSlow } = watched();
  relay('lost');
  await found({ kind: 'no-answer' });
  clock.advance(30_000);
  isSlow();
  expect(watch.trouble.value).toEqual({ kind: 'passed' });
  await found({ kind: 'no-socket' });
  clock.advance(30_000);
  isSlow();
  expect(watch.trouble.value).toEqual({ kind: 'no-socket' });
  relay('connected');
  isSlow();
  expect(watch.trouble.value).toBeUndefined();
});

it('ends with its page', async () => {
  const { clock, watch, tries, relay, found } = watched();
  relay('lost');
  await found({ kind: 'refused' });
  watch.stop();
  clock.advance(600_000);
  relay('lost');
  expect(tries).toHaveLength(1);
});
