// The palm bunch, the looks of its devices, the connection in words, and what leaving would cost.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeviceStatus, FileStatus, PalmStatus } from '../../../src/runtime/api.ts';
import { bunchText, fruitsOf } from '../../../src/ui/pool/bunch.ts';
import type { RelayTrouble } from '../../../src/core/model/relay-trouble.ts';
import { connectionOf } from '../../../src/ui/pool/connection.ts';
import { HUE_COUNT, looksOf, MARK_COUNT } from '../../../src/ui/pool/device-look.ts';
import { leavingStakes } from '../../../src/ui/text/leaving-stakes.ts';

const DEVICES: readonly DeviceStatus[] = [
  {
    id: 'a',
    name: 'Anna’s phone',
    state: 'reachable',
    class: 'laptop',
    graceMs: 0,
    sinceMs: 0,
    heldBytes: 0,
    self: true,
  },
  {
    id: 'b',
    name: 'Laptop',
    state: 'reachable',
    class: 'laptop',
    graceMs: 0,
    sinceMs: 0,
    heldBytes: 0,
    self: false,
  },
  {
    id: 'c',
    name: 'Tablet',
    state: 'away',
    class: 'laptop',
    graceMs: 0,
    sinceMs: 0,
    heldBytes: 0,
    self: false,
  },
];

const FILE: FileStatus = {
  fileId: 'file',
  contentId: 'file',
  name: 'a.txt',
  path: '',
  mime: '',
  size: 1,
  k: 2,
  n: 6,
  reach: 3,
  margin: 1,
  durable: 3,
  durableMargin: 1,
  holders: [
    { deviceId: 'c', fragments: [0, 1] },
    { deviceId: 'b', fragments: [2] },
    { deviceId: 'a', fragments: [0, 3] },
  ],
  private: false,
  openable: true,
  inOutbox: false,
  by: 'a',
  storedAtMs: 0,
  modifiedMs: 0,
  safe: true,
};

describe('the bunch', () => {
  test('hangs reachable fruits first, by device, then away ones, then missing ones', () => {
    expect(fruitsOf(FILE, DEVICES)).toEqual([
      { kind: 'reachable', deviceId: 'a' },
      { kind: 'reachable', deviceId: 'a' },
      { kind: 'reachable', deviceId: 'b' },
      { kind: 'away', deviceId: 'c' },
      { kind: 'missing' },
      { kind: 'missing' },
    ]);
  });

  test('hangs the fruits of a device that is gone behind those that come back, and names it so', () => {
    const [first, ...others] = DEVICES;
    if (first === undefined) throw new Error('no device');
    const devices: DeviceStatus[] = [{ ...first, state: 'gone' }, ...others];
    const kinds = fruitsOf(FILE, devices).map(({ kind }) => kind);
    expect(kinds).toEqual(['reachable', 'away', 'away', 'gone', 'missing', 'missing']);
    expect(bunchText(FILE, devices)).toContain('1 reachable. Reachable: Laptop 1. Away: Tablet 2. Gone: ');
  });

  test('shows how far a file has spread while its storer still keeps all of it', () => {
    const holders = [
      { deviceId: 'a', fragments: [0, 1, 2, 3, 4, 5] },
      { deviceId: 'b', fragments: [0, 1] },
    ];
    const shown = fruitsOf({ ...FILE, holders }, DEVICES).map(
      (fruit) => fruit.kind !== 'missing' && fruit.deviceId,
    );
    expect(shown).toEqual(['a', 'a', 'a', 'a', 'b', 'b']);
  });

  test('says in words what it draws', () => {
    expect(bunchText(FILE, DEVICES)).toBe(
      '6 fragments, any 2 open the file; 3 reachable. Reachable: Anna’s phone 2, Laptop 1. ' +
        'Away: Tablet 1. On no known device: 2.',
    );
  });

  test('has n fruits whatever is claimed about holders', () => {
    const holders = fc.array(
      fc.record({
        deviceId: fc.constantFrom('a', 'b', 'c', 'gone'),
        fragments: fc.array(fc.integer({ min: 0, max: 9 })),
      }),
    );
    fc.assert(
      fc.property(holders, (some) => {
        expect(fruitsOf({ ...FILE, holders: some }, DEVICES)).toHaveLength(FILE.n);
      }),
    );
  });
});

describe('looks', () => {
  const ids = fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: HUE_COUNT * MARK_COUNT });

  test('are distinct, and so are hues until all are used', () => {
    fc.assert(
      fc.property(ids, (some) => {
        const looks = [...looksOf(some).values()];
        expect(looks).toHaveLength(some.length);
        expect(new Set(looks.map(({ hue, mark }) => `${hue}/${mark}`)).size).toBe(some.length);
        if (some.length <= HUE_COUNT) expect(new Set(looks.map(({ hue }) => hue)).size).toBe(some.length);
      }),
    );
  });

  test('do not depend on the order in which devices are listed', () => {
    fc.assert(
      fc.property(ids, (some) => {
        expect(looksOf(some.toReversed())).toEqual(looksOf(some));
      }),
    );
  });
});

describe('the connection', () => {
  test('names what works, and what to do when nothing does', () => {
    expect(connectionOf(status('connected', true, []))).toMatchObject({ state: 'waiting' });
    expect(connectionOf(status('connected', false, ['reachable', 'away']))).toMatchObject({
      state: 'linked',
      sentence: 'Connected to 1 device',
    });
    expect(connectionOf(status('lost', false, ['reachable', 'reachable'])).sentence).toBe(
      'Connected to 2 devices, working without the relay',
    );
    expect(connectionOf(status('lost', false, ['away'])).state).toBe('cut');
    // The doctor is offered where somebody is missing, not to somebody who has just begun.
    expect(connectionOf(status('lost', false, ['away'])).offersDoctor).toBe(true);
    expect(connectionOf(status('connected', false, ['away'])).offersDoctor).toBe(true);
    expect(connectionOf(status('connected', true, [])).offersDoctor).toBe(false);
    expect(connectionOf(status('connected', false, ['reachable'])).offersDoctor).toBe(false);
  });

  const TROUBLES: readonly RelayTrouble[] = [
    { kind: 'offline' },
    { kind: 'no-answer' },
    { kind: 'refused' },
    { kind: 'not-palm', status: 0 },
    { kind: 'not-palm', status: 502 },
    { kind: 'other-host', seen: undefined },
    { kind: 'other-host', seen: 'http://127.0.0.1:8080' },
    { kind: 'no-socket' },
    { kind: 'closed', reason: 'the room is full' },
    { kind: 'passed' },
  ];

  test('names the cause that was found, each in its own words, until the relay is connected', () => {
    const cut = status('lost', false, ['away']);
    const sentences = TROUBLES.map((trouble) => connectionOf(cut, trouble, true).sentence);
    expect(new Set([...sentences, connectionOf(cut).sentence]).size).toBe(TROUBLES.length + 1);
    for (const trouble of TROUBLES) {
      expect(connectionOf(status('connecting', false, []), trouble).state).toBe('cut');
      expect(connectionOf(status('connected', true, []), trouble).sentence).toBe('No other device yet');
      expect(connectionOf(status('lost', false, ['reachable']), trouble).state).toBe('linked');
    }
  });

  test('offers the relay’s page where its certificate may be new, and nowhere else', () => {
    const offers = (relay: 'lost' | 'connected', trouble: RelayTrouble, isSecure: boolean): boolean =>
      connectionOf(status(relay, false, []), trouble, isSecure).offersRelayPage;
    expect(offers('lost', { kind: 'refused' }, true)).toBe(true);
    expect(offers('lost', { kind: 'refused' }, false)).toBe(false);
    expect(offers('connected', { kind: 'refused' }, true)).toBe(false);
    expect(offers('lost', { kind: 'no-answer' }, true)).toBe(false);
  });
});

test('leaving loses the files that all the other devices together could not open', () => {
  const kept: FileStatus = { ...FILE, fileId: 'kept' };
  const lost: FileStatus = { ...FILE, fileId: 'lost', k: 4 };
  const stakes = (b: DeviceStatus['state'] = 'reachable') => {
    const devices = status('connected', false, ['reachable', b]).devices.map((device, at) => {
      return { ...device, id: ['a', 'b', 'c'][at] ?? '', self: at === 0 };
    });
    return leavingStakes([kept, lost], devices);
  };
  expect(stakes().lost.map(({ fileId }) => fileId)).toEqual(['lost']);
  // The one that stays open needs both of the others.
  expect(stakes().exposedCount).toBe(1);
  expect(stakes('away').lost).toEqual([lost]);
  expect(stakes('gone')).toEqual({ lost: [kept, lost], exposedCount: 0 });
});

function status(
  relay: 'connecting' | 'connected' | 'lost',
  alone: boolean,
  others: readonly DeviceStatus['state'][],
): PalmStatus {
  const self: DeviceStatus = {
    id: 'self',
    name: 'Self',
    state: 'reachable',
    class: 'laptop',
    graceMs: 0,
    sinceMs: 0,
    heldBytes: 0,
    self: true,
  };
  return {
    device: { id: 'self', name: 'Self' },
    pool: { id: 'p', name: 'Home', relay, alone, invitesEnd: true },
    devices: [
      self,
      ...others.map((state, index) => ({
        id: `${index}`,
        name: 'Other',
        state,
        class: 'laptop' as const,
        graceMs: 0,
        sinceMs: 0,
        heldBytes: 0,
        self: false,
      })),
    ],
    files: [],
    unfinished: [],
    transfers: [],
    repairs: [],
    activity: [],
    lock: 'none',
    notices: [],
  };
}
