// The policy of a pool: which changes are taken, and what they mean for a new file.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkGeometry, geometryOf } from '../../../../src/core/model/geometry.ts';
import {
  checkPolicyChange,
  oldestKeysMs,
  chosenCounts,
  DEFAULT_POLICY,
  isPolicyValue,
  policyOf,
  POLICY_PARTS,
  type Policy,
  type PolicyParts,
} from '../../../../src/core/model/policy.ts';
import { deviceAt, expectThrows } from '../../../fixtures/pool-fixture.ts';

const YEAR_MS = 366 * 24 * 3_600_000;

function after(change: unknown, policy: Policy = DEFAULT_POLICY): Policy {
  return policyOf(checkPolicyChange(change, policy));
}

describe('a change of the policy', () => {
  it('sets the parts that it has', () => {
    expect(checkPolicyChange({}, DEFAULT_POLICY)).toEqual({});
    expect(checkPolicyChange({ graceMs: {}, k: undefined }, DEFAULT_POLICY)).toEqual({});
    expect(after({ graceMs: { phone: 10_000 } })).toEqual({
      graceMs: { alwaysOn: 14_400_000, laptop: 86_400_000, phone: 10_000 },
      isGraceSet: { alwaysOn: false, laptop: false, phone: true },
      repairShare: 0.2,
    });
    const all = {
      graceMs: { alwaysOn: YEAR_MS, laptop: 10_001, phone: 60_000 },
      repairShare: 1,
      k: 2,
      n: 255,
    };
    const isGraceSet = { alwaysOn: true, laptop: true, phone: true };
    expect(after(all)).toEqual({ ...all, isGraceSet });
  });

  it.each([0.01, 0.05, 0.1, 0.15, 0.29, 0.3, 0.5, 0.58, 0.999_999, 1])(
    'keeps the share %d exactly',
    (share) => {
      expect(after({ repairShare: share }).repairShare).toBe(share);
    },
  );

  it.each<[string, unknown, string]>([
    ['nothing', undefined, 'policy-parts'],
    ['null', null, 'policy-parts'],
    ['a list', [], 'policy-parts'],
    ['text', 'k=4', 'policy-parts'],
    ['a part that does not exist', { grace: 10_000 }, 'policy-parts'],
    ['one grace for all', { graceMs: 10_000 }, 'policy-parts'],
    ['a class that does not exist', { graceMs: { desktop: 10_000 } }, 'policy-parts'],
    ['too short a grace', { graceMs: { phone: 9_999 } }, 'policy-grace'],
    ['too long a grace', { graceMs: { alwaysOn: YEAR_MS + 1 } }, 'policy-grace'],
    ['an endless grace', { graceMs: { laptop: Infinity } }, 'policy-grace'],
    ['a grace in text', { graceMs: { laptop: '10000' } }, 'policy-grace'],
    ['a grace of half a millisecond', { graceMs: { laptop: 10_000.5 } }, 'policy-grace'],
    ['a grace that is no number', { graceMs: { laptop: NaN } }, 'policy-grace'],
    ['a grace of null', { graceMs: { laptop: null } }, 'policy-grace'],
    ['no share at all', { repairShare: 0 }, 'policy-share'],
    ['a negative share', { repairShare: -0.2 }, 'policy-share'],
    ['more than all', { repairShare: 1.01 }, 'policy-share'],
    ['a share in percent', { repairShare: 20 }, 'policy-share'],
    ['a share that is no number', { repairShare: NaN }, 'policy-share'],
    ['a k that gives the threshold up', { k: 1 }, 'policy-counts'],
    ['a fraction', { n: 8.5 }, 'policy-counts'],
    ['too many fragments', { n: 256 }, 'policy-counts'],
    ['k above n', { k: 5, n: 4 }, 'policy-counts'],
  ])('is refused: %s', (_, change, reason) => {
    expect(() => checkPolicyChange(change, DEFAULT_POLICY)).toThrow(
      expect.objectContaining({ code: 'bad-argument', failure: expect.objectContaining({ reason }) }),
    );
  });

  it('must fit the counts that stay', () => {
    expectThrows('bad-argument', () => checkPolicyChange({ k: 7 }, { ...DEFAULT_POLICY, n: 6 }));
    expectThrows('bad-argument', () => checkPolicyChange({ n: 5 }, { ...DEFAULT_POLICY, k: 6 }));
    expect(checkPolicyChange({ k: 7 }, { ...DEFAULT_POLICY, k: 3 })).toEqual({ k: 7 });
    expect(checkPolicyChange({ repairShare: 0.5 }, { ...DEFAULT_POLICY, k: 6, n: 6 })).toEqual({
      repairShare: 500_000,
    });
  });

  it('changes keys each seven days at most, also where an entry says more', () => {
    const week = 604_800_000;
    for (const rotateEveryMs of [3_600_000, week - 1])
      expectThrows('bad-argument', () => checkPolicyChange({ rotateEveryMs }, DEFAULT_POLICY));
    expect(checkPolicyChange({ rotateEveryMs: week }, DEFAULT_POLICY)).toEqual({ rotateEveryMs: week });
    expect(oldestKeysMs(policyOf({ rotateEveryMs: 3_600_000 }))).toBe(week);
    expect(oldestKeysMs(policyOf({ rotateEveryMs: week + 1 }))).toBe(week + 1);
    expect(oldestKeysMs(policyOf({}))).toBe(undefined);
  });

  it('takes as anchors only devices that say that they are always on', () => {
    const [a, b, c] = [0, 1, 2].map((at) => deviceAt(at).deviceId);
    if (a === undefined || b === undefined || c === undefined) throw new Error();
    const chosen = (change: object, alwaysOn = [a, b]): unknown =>
      checkPolicyChange(change, DEFAULT_POLICY, alwaysOn);
    expect(chosen({ placement: 'anchored' })).toEqual({ anchors: [a, b] });
    expect(chosen({ placement: 'anchored', anchors: [b] })).toEqual({ anchors: [b] });
    expect(chosen({ placement: 'spread' }, [])).toEqual({ anchors: [] });
    for (const [change, alwaysOn] of [
      [{ placement: 'anchored' }, []],
      [{ placement: 'anchored', anchors: [] }, [a, b]],
      [{ placement: 'anchored', anchors: [c] }, [a, b]],
      [{ placement: 'anchored', anchors: [a, a] }, [a, b]],
      [{ placement: 'anchored', anchors: a }, [a, b]],
      [{ placement: 'spread', anchors: [a] }, [a, b]],
      [{ anchors: [a] }, [a, b]],
      [{ placement: 'thin' }, [a, b]],
      [{ placement: null }, [a, b]],
    ] as const) {
      const failure = { reason: 'policy-placement' };
      expect(() => chosen(change, [...alwaysOn])).toThrow(
        expect.objectContaining({ code: 'bad-argument', failure: expect.objectContaining(failure) }),
      );
    }
  });

  it('gives new files the geometry of their anchors, unless somebody asked for another', () => {
    const beside = { k: 7, n: 15 };
    const policy = (parts: object) => ({ ...DEFAULT_POLICY, ...parts });
    expect(chosenCounts({}, policy({}), beside)).toEqual(beside);
    expect(chosenCounts({ k: 3 }, policy({}), beside)).toEqual({ k: 3, n: 8 });
    expect(chosenCounts({}, policy({ n: 6 }), beside)).toEqual({ k: 4, n: 6 });
    expect(chosenCounts({ mirror: true }, policy({}), beside)).toEqual({ k: 1, n: 8 });
  });

  it('reads each part of what the caller hands in once', () => {
    let reads = 0;
    const change = {
      get k() {
        reads += 1;
        return reads === 1 ? 4 : 1_000;
      },
    };
    expect(checkPolicyChange(change, DEFAULT_POLICY)).toEqual({ k: 4 });
  });

  it('of anything at all is refused as a bad argument, or has values within bounds', () => {
    const part = fc.oneof(fc.anything(), fc.integer({ min: 0, max: 300 }), fc.double());
    const change = fc.oneof(
      fc.anything(),
      fc.record({
        graceMs: fc.oneof(part, fc.dictionary(fc.constantFrom('phone', 'x'), part)),
        k: part,
        n: part,
      }),
    );
    fc.assert(
      fc.property(change, (given) => {
        let parts: PolicyParts;
        try {
          parts = checkPolicyChange(given, DEFAULT_POLICY);
        } catch (error) {
          expect(error).toMatchObject({ name: 'PalmError', code: 'bad-argument' });
          return;
        }
        for (const name of POLICY_PARTS) {
          if (parts[name] !== undefined) expect(isPolicyValue(name, parts[name])).toBe(true);
        }
      }),
    );
  });
});

describe('the counts of a new file', () => {
  it.each([
    [{}, {}, [4, 8]],
    [{ k: 6 }, {}, [6, 8]],
    [{ k: 10 }, {}, [10, 10]],
    [{ n: 3 }, {}, [3, 3]],
    [{ mirror: true }, {}, [1, 8]],
    [{ mirror: true, n: 3 }, {}, [1, 3]],
    [{}, { k: 3, n: 5 }, [3, 5]],
    [{}, { k: 10 }, [10, 10]],
    [{}, { n: 3 }, [3, 3]],
    [{}, { n: 20 }, [4, 20]],
    [{ k: 2 }, { k: 3, n: 5 }, [2, 5]],
    [{ k: 9 }, { k: 3, n: 5 }, [9, 9]],
    [{ n: 2 }, { k: 3, n: 5 }, [2, 2]],
    [{ n: 9 }, { k: 3, n: 5 }, [3, 9]],
    [{ k: 5, n: 7 }, { k: 3, n: 5 }, [5, 7]],
    [{ mirror: true }, { k: 3, n: 5 }, [1, 5]],
  ] as const)('asked for %o under a policy of %o are %o', (asked, set, [k, n]) => {
    expect(chosenCounts(asked, { ...DEFAULT_POLICY, ...set })).toEqual({ k, n });
  });

  it('can be coded under any policy, when the storer asks for none', () => {
    const count = fc.option(fc.integer({ min: 2, max: 255 }), { nil: undefined });
    fc.assert(
      fc.property(count, count, (k, n) => {
        fc.pre(k === undefined || n === undefined || k <= n);
        const policy = policyOf({ ...(k === undefined ? {} : { k }), ...(n === undefined ? {} : { n }) });
        const counts = chosenCounts({}, policy);
        expect(() => checkGeometry(geometryOf(1_000, counts.k, counts.n), false)).not.toThrow();
      }),
    );
  });
});
