// The sentence about a file's safety: what it says in every case, and that it never says more than the
// numbers do.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { DeviceStatus, FileStatus } from '../../../src/runtime/api.ts';
import { safetyOf } from '../../../src/ui/text/safety-sentence.ts';

describe('a file that survives', () => {
  test('counts devices, in the singular and in the plural', () => {
    const devices = pool('self', 'b', 'c', 'd');
    expect(safetyOf(file({ reach: 8, margin: 1 }), devices)).toEqual({
      tone: 'safe',
      sentence: 'Survives the loss of any one device. Opens now.',
    });
    expect(safetyOf(file({ reach: 8, margin: 2 }), devices).sentence).toBe(
      'Survives the loss of any 2 devices. Opens now.',
    );
  });
});

describe('a file that counts on a Safari tab', () => {
  const holders = ['self', 'b', 'c', 'd'].map((deviceId, at) => ({
    deviceId,
    fragments: [2 * at, 2 * at + 1],
  }));
  const said = (evictable: readonly string[], given: Partial<FileStatus> = {}): string => {
    const devices = pool('self', 'b', 'c', 'd').map((device) =>
      evictable.includes(device.id) ? { ...device, name: 'Ann’s phone', evictable: true as const } : device,
    );
    const counts = { reach: 8, margin: 2, durable: 6, durableMargin: 0, holders, ...given };
    return safetyOf(file(counts), devices).sentence;
  };

  test('says which, why, and what to do', () => {
    expect(said(['b'])).toBe(
      'Safari deletes the part on Ann’s phone after a week without use: add Palm to the Home Screen there, and join from it',
    );
    expect(said(['self'])).toContain('the part on this device after a week');
    expect(said(['b', 'c'])).toContain('the parts on 2 devices after a week');
  });

  test('says nothing of it where the tab does not matter', () => {
    expect(said(['b'], { durableMargin: 1 })).toBe('Survives the loss of any one device. Opens now.');
    expect(said(['b'], { holders: holders.filter(({ deviceId }) => deviceId !== 'b') })).not.toContain(
      'Safari',
    );
    expect(said(['b'], { margin: 0 })).not.toContain('Safari');
    expect(said([])).not.toContain('Safari');
  });
});

describe('a file around an anchor', () => {
  const holders = [
    { deviceId: 'anchor', fragments: [0, 1, 2] },
    { deviceId: 'self', fragments: [3] },
    { deviceId: 'b', fragments: [4, 5] },
    { deviceId: 'c', fragments: [6, 7] },
  ];
  const devices = (anchor: string, c = '-c') =>
    pool('self', 'b', c, anchor).map((device) =>
      device.id === 'anchor' ? { ...device, anchor: true as const } : device,
    );
  const said = (given: Partial<FileStatus>, all: readonly DeviceStatus[]): string =>
    safetyOf(file({ reach: 8, margin: 2, holders, ...given }), all).sentence;

  test('opens any time once each device has a fragment that the anchor lacks', () => {
    expect(said({}, devices('anchor'))).toBe('Survives the loss of any 2 devices. Opens any time.');
  });

  test('is not said to while that does not hold', () => {
    const notYet = /Opens now\.$/u;
    expect(said({ holders: holders.slice(0, 3) }, devices('anchor'))).toMatch(notYet);
    const same = [...holders.slice(0, 3), { deviceId: 'c', fragments: [0] }];
    expect(said({ holders: same }, devices('anchor'))).toMatch(notYet);
    expect(said({ inOutbox: true }, devices('anchor'))).toMatch(notYet);
    expect(said({}, devices('-anchor'))).toMatch(notYet);
    expect(said({}, pool('self', 'b', '-c', 'anchor'))).toMatch(notYet);
    expect(said({ holders: holders.slice(0, 1) }, devices('anchor').slice(3))).toMatch(notYet);
  });

  test('does not wait for a device that is gone', () => {
    const all = devices('anchor').map((device) =>
      device.id === 'c' ? { ...device, state: 'gone' as const } : device,
    );
    expect(said({ holders: holders.slice(0, 3) }, all)).toMatch(/Opens any time\.$/u);
  });
});

describe('a file that opens, but only just', () => {
  const everythingHere = [{ deviceId: 'self', fragments: range(0, 8) }];

  test('on a single device: invite another', () => {
    const status = file({ reach: 8, margin: 0, holders: everythingHere });
    expect(safetyOf(status, pool('self'))).toEqual({
      tone: 'exposed',
      sentence: 'Only on this device: invite another',
    });
  });

  test('with two devices: add a third', () => {
    const holders = [...everythingHere, { deviceId: 'b', fragments: range(0, 3) }];
    const status = file({ reach: 8, margin: 0, holders, inOutbox: true });
    expect(safetyOf(status, pool('self', 'b')).sentence).toBe(
      'Only this device can open it alone: add a third device',
    );
  });

  test('while it spreads to several devices', () => {
    const status = file({ reach: 8, margin: 0, holders: everythingHere, inOutbox: true });
    expect(safetyOf(status, pool('self', 'b', 'c')).sentence).toMatch(/still spreading/u);
  });

  test('while the others are away', () => {
    const status = file({ reach: 8, margin: 0, holders: everythingHere, inOutbox: true });
    expect(safetyOf(status, pool('self', 'b', '-c')).sentence).toMatch(/bring another device back/u);
  });

  test('when another device alone could open it, that one is named', () => {
    const holders = [{ deviceId: 'b', fragments: range(0, 8) }];
    expect(safetyOf(file({ reach: 8, margin: 0, holders }), pool('self', 'b', 'c')).sentence).toBe(
      'Only B can open it alone: keep that device',
    );
  });

  test('when it takes several devices', () => {
    const holders = [
      { deviceId: 'b', fragments: [0, 1] },
      { deviceId: 'c', fragments: [2, 3] },
    ];
    expect(safetyOf(file({ reach: 4, margin: 0, holders }), pool('self', 'b', 'c')).sentence).toBe(
      'Losing one more device could make it unreadable',
    );
  });
});

describe('a file that cannot be opened now', () => {
  test('counts the devices that must return, not the fragments', () => {
    const holders = [
      { deviceId: 'self', fragments: [0] },
      { deviceId: 'b', fragments: [1, 2, 3] },
      { deviceId: 'c', fragments: [4] },
    ];
    expect(safetyOf(file({ reach: 1, margin: -1, holders }), pool('self', '-b', '-c'))).toEqual({
      tone: 'closed',
      sentence: 'Needs 1 more device to open',
    });
  });

  test('a returning device counts only for fragments that are not here already', () => {
    const holders = [
      { deviceId: 'self', fragments: [0, 1, 2] },
      { deviceId: 'b', fragments: [0, 1, 2] },
      { deviceId: 'c', fragments: [2] },
    ];
    expect(safetyOf(file({ reach: 3, margin: -1, holders }), pool('self', '-b', '-c')).sentence).toBe(
      'Needs 1 more fragment, and no known device has it',
    );
  });

  test('several devices, and none that suffices', () => {
    const holders = [
      { deviceId: 'b', fragments: [0, 1] },
      { deviceId: 'c', fragments: [2] },
      { deviceId: 'd', fragments: [3] },
    ];
    const devices = pool('self', '-b', '-c', '-d');
    expect(safetyOf(file({ reach: 0, margin: -1, k: 3, holders }), devices).sentence).toBe(
      'Needs 2 more devices to open',
    );
    expect(safetyOf(file({ reach: 0, margin: -1, k: 6, holders }), devices).sentence).toBe(
      'Needs 6 more fragments, and no known device has them',
    );
  });
});

describe('a file that survives losses while devices are away', () => {
  const holders = ['self', 'b', 'c', 'd'].map((deviceId, index) => ({
    deviceId,
    fragments: [2 * index, 2 * index + 1],
  }));
  const durable = { durable: 8, durableMargin: 2, holders };

  test('opens now if enough of them is here, even where the devices that are here cannot lose one', () => {
    const status = file({ ...durable, reach: 4, margin: 0 });
    expect(safetyOf(status, pool('self', 'b', '-c', '-d'))).toEqual({
      tone: 'safe',
      sentence: 'Survives the loss of any 2 devices. Opens now.',
    });
  });

  test('says how many must be back', () => {
    const one = file({ ...durable, reach: 2, margin: -1 });
    expect(safetyOf(one, pool('self', '-b', '-c', '-d'))).toEqual({
      tone: 'closed',
      sentence: 'Survives the loss of any 2 devices. Opens when one more device is back.',
    });
    expect(safetyOf({ ...one, k: 6 }, pool('self', '-b', '-c', '-d')).sentence).toBe(
      'Survives the loss of any 2 devices. Opens when 2 more devices are back.',
    );
  });

  test('expects nothing of those that are gone, and says so when only they could open it', () => {
    const two = holders.slice(0, 2);
    const status = file({ reach: 2, margin: -1, durable: 2, durableMargin: -1, holders: two });
    const [self, gone] = pool('self', '-b');
    if (self === undefined || gone === undefined) throw new Error('no devices');
    const devices: DeviceStatus[] = [self, { ...gone, state: 'gone' }];
    expect(safetyOf(status, devices).sentence).toBe('Needs 1 more device to open, and it is gone');
    // Another one that is expected back comes before a gone one with more fragments.
    const all = [...holders.slice(0, 1), { deviceId: 'b', fragments: [2, 3, 4, 5] }, ...holders.slice(2)];
    const other = file({ ...durable, reach: 2, margin: -1, holders: all });
    const mixed: DeviceStatus[] = [...devices, ...pool('-c', '-d')];
    expect(safetyOf({ ...other, k: 6 }, mixed).sentence).toMatch(/Opens when 2 more devices are back/u);
  });
});

test('no sentence promises more than the numbers allow', () => {
  const margin = fc.integer({ min: -1, max: 5 });
  fc.assert(
    fc.property(margin, margin, fc.integer({ min: 0, max: 8 }), (reachable, durableMargin, reach) => {
      const status = file({ reach, margin: reachable, durableMargin });
      const { tone, sentence } = safetyOf(status, pool('self', 'b', 'c'));
      expect(tone === 'safe').toBe(reach >= 4 && durableMargin >= 1);
      expect(sentence.includes('Opens now')).toBe(tone === 'safe');
      if (sentence.includes('Survives')) expect(durableMargin).toBeGreaterThanOrEqual(1);
    }),
  );
});

describe('the devices that must return', () => {
  test('are the fewest, even if the largest does not help', () => {
    // The four first, and then two more would be needed; the two threes cover all six.
    const sets = [
      [0, 1, 3, 4],
      [0, 1, 2],
      [3, 4, 5],
    ];
    expect(sentenceWhenAway(sets, 6)).toBe('Needs 2 more devices to open');
  });

  test('are as many as trying every choice finds', () => {
    const someSets = fc.array(fc.uniqueArray(fc.integer({ min: 0, max: 9 }), { maxLength: 5 }), {
      maxLength: 7,
    });
    fc.assert(
      fc.property(someSets, fc.integer({ min: 1, max: 10 }), (sets, k) => {
        const fewest = byTryingAll(sets, k);
        const devices = fewest === 1 ? 'device' : 'devices';
        const expected =
          fewest === undefined ? /no known device has/u : `Needs ${fewest} more ${devices} to open`;
        expect(sentenceWhenAway(sets, k)).toMatch(expected);
      }),
    );
  });
});

/** Each of `sets` is on a device of its own, and all of them are away. */
function sentenceWhenAway(sets: readonly (readonly number[])[], k: number): string {
  const holders = sets.map((fragments, index) => ({ deviceId: `d${index}`, fragments: [...fragments] }));
  const devices = pool('self', ...holders.map(({ deviceId }) => `-${deviceId}`));
  return safetyOf(file({ reach: 0, margin: -1, k, n: 10, holders }), devices).sentence;
}

function byTryingAll(sets: readonly (readonly number[])[], wanted: number): number | undefined {
  let best: number | undefined;
  for (let choice = 0; choice < 2 ** sets.length; choice++) {
    const chosen = sets.filter((_, index) => Math.floor(choice / 2 ** index) % 2 === 1);
    const enough = new Set(chosen.flat()).size >= wanted;
    if (enough && (best === undefined || chosen.length < best)) best = chosen.length;
  }
  return best;
}

/** Ids become devices named in capitals; a leading '-' means away; 'self' is this one. */
function pool(...ids: readonly string[]): DeviceStatus[] {
  return ids.map((text) => {
    const id = text.replace('-', '');
    const state = text.startsWith('-') ? 'away' : 'reachable';
    return {
      id,
      name: id.toUpperCase(),
      state,
      class: 'laptop',
      graceMs: 0,
      sinceMs: 0,
      heldBytes: 0,
      self: id === 'self',
    };
  });
}

/** All holders count as durable, unless `given` says otherwise. */
function file(given: Partial<FileStatus>): FileStatus {
  return {
    fileId: 'file',
    contentId: 'file',
    name: 'a.txt',
    path: '',
    mime: '',
    size: 1,
    k: 4,
    n: 8,
    reach: 0,
    margin: -1,
    durable: given.reach ?? 0,
    durableMargin: given.margin ?? -1,
    holders: [],
    private: false,
    openable: true,
    inOutbox: false,
    by: 'self',
    storedAtMs: 0,
    modifiedMs: 0,
    safe: false,
    ...given,
  };
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index);
}
