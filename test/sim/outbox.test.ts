// The outbox alone, against devices that immediately take whatever they are offered: for every geometry and
// pool it must end, with every cap kept and any one device expendable.

import { expect, test } from 'vitest';
import type { Manifest } from '../../src/core/catalogue/manifest.ts';
import { geometryOf } from '../../src/core/model/geometry.ts';
import { deviceIdOf, fileIdOf, fragmentIdOf, type DeviceId } from '../../src/core/model/ids.ts';
import { fragmentCap } from '../../src/core/model/limits.ts';
import { NO_ANCHORS } from '../../src/core/placement/anchors.ts';
import { Challenges } from '../../src/core/peer/challenges.ts';
import { Outbox } from '../../src/core/peer/outbox.ts';
import { answerChallenges } from '../fixtures/challenge-answers.ts';
import { trueMargin } from './true-margin.ts';

const GEOMETRIES = [2, 3, 4, 5, 6, 8, 10].flatMap((k) =>
  [1, 2, 3, 4, 8].map((more) => [k, k + more] as const),
);

test.each([3, 4, 5, 6])(
  '%i devices: what fits under the caps ends with a margin of at least 1',
  (deviceCount) => {
    for (const [k, n] of GEOMETRIES) {
      const { homes, isDone } = place(k, n, deviceCount);
      expect(isDone, `${k} of ${n}`).toBe(n <= deviceCount * fragmentCap(k));
      if (!isDone) continue;
      for (const held of homes) expect(held.size, `${k} of ${n}`).toBeLessThanOrEqual(fragmentCap(k));
      expect(trueMargin(homes, k), `${k} of ${n}`).toBeGreaterThanOrEqual(1);
      expect(new Set(homes.flatMap((held) => [...held])).size).toBe(n);
    }
  },
);

test('two devices: the outbox waits, whatever the geometry', () => {
  for (const [k, n] of GEOMETRIES) expect(place(k, n, 2).isDone, `${k} of ${n}`).toBe(false);
});

test('a fragment that was damaged here is not offered, not counted, and not waited for', () => {
  for (const [k, n] of GEOMETRIES.filter(
    ([less, more]) => more > less + 1 && more <= 4 * fragmentCap(less),
  )) {
    for (const damaged of [0, n - 1]) {
      const { homes, isDone } = place(k, n, 5, damaged);
      expect(isDone, `${k} of ${n} without ${damaged}`).toBe(true);
      const placed = new Set(homes.flatMap((held) => [...held]));
      expect(placed.has(damaged)).toBe(false);
      expect(placed.size).toBe(n - 1);
      expect(trueMargin(homes, k)).toBeGreaterThanOrEqual(1);
    }
  }
});

/** Places one file, storer first, with devices that join one after another. */
function place(
  k: number,
  n: number,
  deviceCount: number,
  damaged?: number,
): { homes: Set<number>[]; isDone: boolean } {
  const devices = Array.from({ length: deviceCount }, (_, index) => deviceIdOf(Uint8Array.of(index)));
  const file = fileIdOf(Uint8Array.of(k, n));
  const manifest = manifestOf(k, n, devices[0] ?? deviceIdOf(Uint8Array.of()));
  const all = Array.from({ length: n }, (_, fragment) => fragment);
  let own = new Set(all.filter((fragment) => fragment !== damaged));
  const homes = new Map<DeviceId, Set<number>>();
  let present = 1;
  const challenges = new Challenges({ canProve: () => true, proofBlocksOf: () => 1 });
  const view = {
    self: manifest.by,
    manifestOf: () => manifest,
    ownOf: () => own,
    holdersOf: () => new Map([...homes].map(([device, held]) => [device, new Set(held)])),
    candidates: () => devices.slice(0, present).map((device) => ({ device, freeBytes: 2 ** 40 })),
    isReachable: () => true,
    anchorsOf: () => NO_ANCHORS,
    isRebuilding: () => false,
  };
  const outbox = new Outbox(view, challenges);
  outbox.add(file);
  let nowMs = 0;
  for (; present <= deviceCount; present++) {
    for (let round = 0; round < 20 && outbox.has(file); round++) {
      outbox.touch();
      answerChallenges(challenges, outbox, nowMs);
      for (const effect of outbox.advance(nowMs++)) {
        if (effect.kind === 'outbox-done') own = new Set(effect.keep);
        else if (effect.message.kind === 'place') {
          const held = homes.get(effect.to) ?? new Set();
          for (const { fragment } of effect.message.places) held.add(fragment);
          homes.set(effect.to, held);
        }
      }
    }
  }
  return { homes: [own, ...homes.values()], isDone: !outbox.has(file) };
}

function manifestOf(k: number, n: number, by: DeviceId): Manifest {
  return {
    ...geometryOf(1_000, k, n),
    modifiedMs: 0,
    salt: new Uint8Array(32),
    fragments: Array.from({ length: n }, (_, fragment) => fragmentIdOf(Uint8Array.of(fragment))),
    by,
    atMs: 0,
    access: { kind: 'private', sealed: new Uint8Array(16) },
  };
}
