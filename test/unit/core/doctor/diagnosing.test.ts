// What the connection doctor makes of what was seen. Each reason that a finding can have is reached by the
// facts of test/fixtures/doctor-facts.ts; and whatever the facts, nothing is said to work that was not seen
// to.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../../src/core/doctor/diagnosing.ts';
import { errorKind, type DoctorFacts, type Tried } from '../../../../src/core/doctor/facts.ts';
import { SUBJECTS, type Subject } from '../../../../src/core/model/finding.ts';
import { casesOf, FINE, LATE, PAGE, reasonKinds, UNABLE } from '../../../fixtures/doctor-facts.ts';

const ROWS = reasonKinds().flatMap((kind) =>
  casesOf(kind).map(([what, state, change], index) => ({ kind, index, what, state, change })),
);

test.each(ROWS)('$kind ($index) is found of $what: $state', ({ kind, what, state, change }) => {
  const found = diagnose({ ...FINE, ...change }).filter((finding) => finding.what === what);
  expect(found).toMatchObject([{ state, reason: { kind } }]);
});

test('a page on which all is well has one finding for each thing, in order', () => {
  const found = diagnose({ ...FINE, surroundings: { ...PAGE, platform: 'macos' } });
  expect(found.map(({ what }) => what)).toEqual(SUBJECTS);
});

test('a Node device is told nothing of what only pages have', () => {
  const found = diagnose({ ...FINE, surroundings: { ...PAGE, host: 'node', address: 'ip' } });
  const subjects = found.map(({ what }) => what);
  expect(subjects).toEqual(['relay', 'socket', 'candidates', 'loopback', 'links', 'vpn', 'storage', 'clock']);
});

describe('whatever was seen', () => {
  /** Written anew, from the words: what must have been seen for 'works' to be true. */
  const WORKED: Readonly<Record<Subject, (facts: DoctorFacts) => boolean>> = {
    relay: (facts) => isSeen(facts.relay, ({ kind }) => kind === 'passed'),
    socket: (facts) => isSeen(facts.socket, (pong) => pong === 'pong'),
    trust: ({ surroundings, worker }) =>
      surroundings.isSecure &&
      (surroundings.address === 'loopback' ||
        isSeen(worker, (state) => state === 'controls' || state === 'registered')),
    worker: (facts) => isSeen(facts.worker, (state) => state === 'controls'),
    name: ({ surroundings, relay }) =>
      surroundings.address === 'name' ||
      (surroundings.address === 'local-name' && isSeen(relay, ({ kind }) => kind === 'passed')),
    candidates: (facts) => isSeen(facts.candidates, ({ hostCount }) => hostCount > 0),
    loopback: (facts) => isSeen(facts.loopback, (echo) => echo === 'echoed'),
    links: ({ pool, relay }) =>
      pool !== undefined && pool.linkedCount > 0 && !isSeen(relay, ({ kind }) => kind === 'offline'),
    vpn: (facts) => isSeen(facts.vpnInterfaces, (names) => names.length === 0),
    'local-network': (facts) => isSeen(facts.localNetwork, (state) => state === 'granted'),
    mac: ({ pool }) => pool !== undefined && pool.linkedCount > 0,
    camera: (facts) => isSeen(facts.camera, ({ opened }) => opened === 'opened'),
    storage: (facts) =>
      isSeen(facts.storage, ({ isKept, filesWork }) => isKept === true && filesWork === true),
    clock: (facts) => isSeen(facts.relayClock, ({ aheadMs }) => Math.abs(aheadMs) < 10 * 60_000),
  };

  test('nothing is said to work that was not seen to work', () => {
    fc.assert(
      fc.property(arbitraryFacts(), (facts) => {
        for (const { what, state } of diagnose(facts)) {
          if (state === 'works') expect(WORKED[what](facts), what).toBe(true);
        }
      }),
      { numRuns: 3_000 },
    );
  });

  test('each thing has one finding, and what blocks or is unknown says why', () => {
    fc.assert(
      fc.property(arbitraryFacts(), (facts) => {
        const found = diagnose(facts);
        expect(new Set(found.map(({ what }) => what)).size).toBe(found.length);
        expect(found.every(({ what }) => SUBJECTS.includes(what))).toBe(true);
      }),
    );
  });

  test('where nothing came of any try, nothing works but what needs none', () => {
    for (const came of [UNABLE, LATE, { kind: 'failed', error: 'TypeError' } as const]) {
      const found = diagnose({ ...nothing(came), pool: undefined, surroundings: PAGE });
      expect(found.filter(({ state }) => state === 'works' || state === 'limited')).toEqual([]);
    }
  });
});

describe('an error', () => {
  test.each([
    [new DOMException('https://x/#/join/SECRET', 'NotAllowedError'), 'NotAllowedError'],
    [new TypeError('SECRET'), 'TypeError'],
    [Object.assign(new Error('/home/anna/SECRET'), { code: 'EROFS' }), 'EROFS'],
    [Object.assign(new Error(''), { name: 'https://x/#/join/SECRET' }), ''],
    [Object.assign(new Error(''), { name: 'x', code: 'EACCES: /home/anna' }), ''],
    ['SECRET', ''],
    [undefined, ''],
  ])('%s is told by its kind alone', (error, kind) => {
    expect(errorKind(error)).toBe(kind);
  });
});

function isSeen<Seen>(tried: Tried<Seen>, isGood: (seen: Seen) => boolean): boolean {
  return tried.kind === 'seen' && isGood(tried.seen);
}

function nothing(came: Exclude<Tried<never>, { kind: 'seen' }>): DoctorFacts {
  return {
    ...FINE,
    relay: came,
    socket: came,
    events: came,
    worker: came,
    name: came,
    candidates: came,
    loopback: came,
    localNetwork: came,
    camera: came,
    storage: came,
    relayClock: came,
    vpnInterfaces: came,
  };
}

function arbitraryFacts(): fc.Arbitrary<DoctorFacts> {
  const tried = <Seen>(seen: fc.Arbitrary<Seen>): fc.Arbitrary<Tried<Seen>> =>
    fc.oneof(
      { weight: 3, arbitrary: seen.map((value): Tried<Seen> => ({ kind: 'seen', seen: value })) },
      fc.constantFrom<Tried<Seen>>(UNABLE, LATE, { kind: 'failed', error: 'TypeError' }),
    );
  const count = fc.integer({ min: 0, max: 3 });
  const bytes = fc.constantFrom(0, 1_000, 400_000_000, 50_000_000_000);
  const ahead = fc.integer({ min: -4_000_000, max: 4_000_000 });
  const permission = fc.constantFrom('granted', 'denied', 'prompt');
  return fc.record({
    surroundings: fc.record({
      host: fc.constantFrom('page', 'node'),
      platform: fc.constantFrom('android', 'ios', 'macos', 'windows', 'linux', 'other'),
      program: fc.constant(''),
      isSecure: fc.boolean(),
      isEncrypted: fc.boolean(),
      address: fc.constantFrom('loopback', 'local-name', 'ip', 'name'),
    }),
    relay: tried(
      fc.constantFrom(
        { kind: 'passed' } as const,
        { kind: 'offline' } as const,
        { kind: 'no-answer' } as const,
        { kind: 'refused' } as const,
        { kind: 'not-palm', status: 0 } as const,
        { kind: 'other-host', seen: undefined } as const,
      ),
    ),
    socket: tried(fc.constantFrom('pong', 'refused', 'closed')),
    events: tried(fc.constantFrom('opened', 'refused')),
    worker: tried(fc.constantFrom('controls', 'registered', 'refused', 'absent')),
    name: tried(fc.constantFrom('answers', 'silent', 'no-name')),
    candidates: tried(
      fc.tuple(count, count).map(([plain, masked]) => ({ hostCount: plain + masked, maskedCount: masked })),
    ),
    loopback: tried(fc.constantFrom('echoed', 'silent')),
    localNetwork: tried(fc.constantFrom('granted', 'denied', 'prompt', 'absent')),
    camera: tried(
      fc.record(
        {
          count,
          permission: fc.oneof(permission, fc.constant('unknown' as const)),
          opened: fc.constantFrom('opened', 'denied', 'none', 'busy'),
        },
        { requiredKeys: ['count', 'permission'] },
      ),
    ),
    storage: tried(
      fc.record({
        isKept: fc.constantFrom(true, false, undefined),
        usedBytes: bytes,
        quotaBytes: bytes,
        filesWork: fc.constantFrom(true, false, undefined),
      }),
    ),
    relayClock: tried(fc.record({ aheadMs: ahead, uncertainMs: fc.integer({ min: 0, max: 10_000 }) })),
    vpnInterfaces: tried(fc.subarray(['tun', 'wg'])),
    pool: fc.option(
      fc.record({
        linkedCount: count,
        relayedCount: count,
        knownCount: count,
        blockedCount: count,
        tryingCount: count,
      }),
      { nil: undefined },
    ),
  });
}
