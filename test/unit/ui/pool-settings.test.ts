// The pool's policy as people edit it.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_MEMBER_GRACE_MS,
  MAX_QUOTA_BYTES,
  MIN_MEMBER_GRACE_MS,
  MIN_QUOTA_BYTES,
} from '../../../src/core/model/limits.ts';
import { checkPolicyChange, DEFAULT_POLICY, type Policy } from '../../../src/core/model/policy.ts';
import {
  checkDraft,
  draftOf,
  type SettingsDraft,
  type TimeUnit,
} from '../../../src/ui/state/pool-settings.ts';

const DRAFT = draftOf(DEFAULT_POLICY);

function withLaptop(amount: string, unit: TimeUnit = 'hours'): SettingsDraft {
  return { ...DRAFT, graces: { ...DRAFT.graces, laptop: { amount, unit } } };
}

describe('a draft', () => {
  it('changes the placement only if another one was chosen', () => {
    const anchored = { ...DEFAULT_POLICY, placement: 'anchored' } as const;
    const chosen = (placement: 'anchored' | 'spread', before: Policy) =>
      checkDraft({ ...draftOf(before), placement }, before);
    expect(chosen('anchored', DEFAULT_POLICY)).toEqual({ kind: 'change', change: { placement: 'anchored' } });
    expect(chosen('spread', anchored)).toEqual({ kind: 'change', change: { placement: 'spread' } });
    for (const same of [chosen('spread', DEFAULT_POLICY), chosen('anchored', anchored)])
      expect(same).toEqual({ kind: 'change', change: {} });
  });

  it('shows each time in the largest unit that gives a whole number, and the share in percent', () => {
    expect(DRAFT).toEqual({
      graces: {
        alwaysOn: { amount: '4', unit: 'hours' },
        laptop: { amount: '1', unit: 'days' },
        phone: { amount: '3', unit: 'days' },
      },
      percent: '20',
      placement: 'spread',
      quotas: { storeBytes: '', giveBytes: '' },
      rotate: '',
    });
    const { graces } = draftOf({
      ...DEFAULT_POLICY,
      graceMs: { alwaysOn: 10_000, laptop: 90_000, phone: 10_500 },
    });
    expect(graces).toMatchObject({
      alwaysOn: { amount: '10', unit: 'seconds' },
      laptop: { amount: '90', unit: 'seconds' },
      phone: { amount: '10.5', unit: 'seconds' },
    });
  });

  it('that nobody touched changes nothing, whatever the policy is', () => {
    const grace = fc.integer({ min: MIN_MEMBER_GRACE_MS, max: MAX_MEMBER_GRACE_MS });
    const policy = fc.record({
      graceMs: fc.record({ alwaysOn: grace, laptop: grace, phone: grace }),
      repairShare: fc.integer({ min: 10_000, max: 1_000_000 }).map((steps) => steps / 1_000_000),
      storeBytes: fc.integer({ min: MIN_QUOTA_BYTES, max: MAX_QUOTA_BYTES }),
    });
    fc.assert(
      fc.property(policy, (before) => {
        expect(checkDraft(draftOf(before), before)).toEqual({ kind: 'change', change: {} });
      }),
    );
  });

  it('sets a quota in gigabytes, and no limit where the field is empty', () => {
    const with2 = { ...DEFAULT_POLICY, storeBytes: 2_000_000_000 };
    expect(draftOf(with2).quotas).toEqual({ storeBytes: '2', giveBytes: '' });
    const typed = (storeBytes: string) =>
      checkDraft({ ...draftOf(with2), quotas: { storeBytes, giveBytes: '' } }, with2);
    expect(typed('0,5')).toEqual({ kind: 'change', change: { storeBytes: 500_000_000 } });
    for (const text of ['', ' ', '0']) expect(typed(text)).toMatchObject({ change: { storeBytes: 0 } });
    for (const text of ['0.0005', '-1', 'much', '1e9', '1000001'])
      expect(typed(text)).toEqual({ kind: 'bad', fields: ['storeBytes'] });
  });

  it('changes only what was touched, with a point or a comma', () => {
    for (const amount of ['1.5', ' 1,5 '])
      expect(checkDraft(withLaptop(amount), DEFAULT_POLICY)).toEqual({
        kind: 'change',
        change: { graceMs: { laptop: 5_400_000 } },
      });
    expect(checkDraft({ ...DRAFT, percent: '12,5' }, DEFAULT_POLICY)).toEqual({
      kind: 'change',
      change: { repairShare: 0.125 },
    });
    // The same time in another unit.
    expect(checkDraft(withLaptop('24'), DEFAULT_POLICY)).toEqual({ kind: 'change', change: {} });
  });

  it.each(['', 'a week', '-1', '1e3', '0', '0x10', 'Infinity', '99999999999'])('refuses “%s”', (text) => {
    const draft = { ...withLaptop(text), percent: text };
    expect(checkDraft(draft, DEFAULT_POLICY)).toEqual({ kind: 'bad', fields: ['laptop', 'share'] });
  });

  it('refuses nothing that the pool takes, and takes nothing that the pool refuses', () => {
    const edges: readonly [string, TimeUnit, boolean][] = [
      ['9.999', 'seconds', false],
      ['10', 'seconds', true],
      ['366', 'days', true],
      ['366.001', 'days', false],
    ];
    for (const [amount, unit, isGood] of edges) {
      const checked = checkDraft(withLaptop(amount, unit), DEFAULT_POLICY);
      expect(checked.kind).toBe(isGood ? 'change' : 'bad');
      if (checked.kind === 'change')
        expect(() => checkPolicyChange(checked.change, DEFAULT_POLICY)).not.toThrow();
    }
    for (const [percent, isGood] of [
      ['0.99', false],
      ['1', true],
      ['100', true],
      ['100.1', false],
    ] as const)
      expect(checkDraft({ ...DRAFT, percent }, DEFAULT_POLICY).kind).toBe(isGood ? 'change' : 'bad');
  });

  it('takes the age of keys in days, and none for an empty field', () => {
    const month = { ...DEFAULT_POLICY, rotateEveryMs: 30 * 86_400_000 };
    expect(draftOf(month).rotate).toBe('30');
    const changed = (rotate: string) => checkDraft({ ...draftOf(month), rotate }, month);
    expect(changed('30')).toEqual({ kind: 'change', change: {} });
    expect(changed('7,5')).toEqual({ kind: 'change', change: { rotateEveryMs: 648_000_000 } });
    expect(changed('7')).toEqual({ kind: 'change', change: { rotateEveryMs: 604_800_000 } });
    expect(changed(' ')).toEqual({ kind: 'change', change: { rotateEveryMs: 0 } });
    for (const bad of ['0.01', '6.9', '367', 'x'])
      expect(changed(bad)).toEqual({ kind: 'bad', fields: ['rotate'] });
  });
});
