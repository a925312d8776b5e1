// What members do to the others is told: who, what, how many. One notice for a thousand of a kind.

import { describe, expect, it } from 'vitest';
import { MANY_REMOVALS, Removals, REMOVALS_WITHIN_MS } from '../../src/core/peer/misdeeds.ts';
import { misdeedText } from '../../src/runtime/misdeed-text.ts';
import { Notices } from '../../src/runtime/notices.ts';
import { deviceAt } from './pool-fixture.ts';

const BEN = deviceAt(1).deviceId;

describe('removals of others’ files', () => {
  it('are told once they are many within an hour, with all of them, and then each', () => {
    const removals = new Removals();
    for (let count = 1; count < MANY_REMOVALS; count++) expect(removals.counted(BEN, 1, 5)).toBe(0);
    expect(removals.counted(deviceAt(2).deviceId, 3, 6)).toBe(0);
    expect(removals.counted(BEN, 4, 7)).toBe(MANY_REMOVALS + 3);
    expect(removals.counted(BEN, 2, 8)).toBe(2);
    expect(removals.counted(BEN, 2, 6 + REMOVALS_WITHIN_MS)).toBe(0);
  });
});

describe('a notice that counts', () => {
  it('takes one place however often it happens, and comes back when the number has doubled', () => {
    const notices = new Notices();
    notices.add(1, 'info', 'something else');
    const ids = new Set<number>();
    for (let time = 0; time < 1_000; time++) {
      notices.addCount(time, 'warning', `forged-records ${BEN}`, 3, (total) => `${total} records`);
      for (const { id } of notices.list()) ids.add(id);
    }
    notices.addCount(9, 'warning', `forged-records ${deviceAt(2).deviceId}`, 1, (total) => `other ${total}`);
    expect(notices.list().map(({ text }) => text)).toEqual(['something else', '3000 records', 'other 1']);
    expect(ids.size).toBeLessThan(13);
  });
});

describe('what people are told', () => {
  it.each(['removed-files', 'forged-records', 'forked-log', 'overfull-log', 'future-name'] as const)(
    'of %s names the device, counts, and says what can be done',
    (what) => {
      const many = misdeedText(what, 'Ben', 1_400);
      expect(many).toContain('Ben');
      expect(many).toContain('1,400');
      expect(misdeedText(what, 'Ben', 1)).not.toMatch(/1 \w+s\b/);
      expect(many).toMatch(/can|let that device|Set that/);
    },
  );
});
