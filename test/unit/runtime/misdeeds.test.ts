// What members do to the others is told: who, what, how many. One notice for a thousand of a kind.

import { describe, expect, it } from 'vitest';
import { MANY_REMOVALS, Removals, REMOVALS_WITHIN_MS } from '../../../src/core/peer/misdeeds.ts';
import { misdeedOfOthersText, misdeedText } from '../../../src/runtime/misdeed-text.ts';
import { Notices, type CountTexts } from '../../../src/runtime/notices.ts';
import { deviceAt } from '../../fixtures/pool-fixture.ts';

const MISDEEDS = [
  'removed-files',
  'forged-records',
  'forked-log',
  'overfull-log',
  'false-claims',
  'false-equal',
  'future-name',
  'withheld',
] as const;

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
      notices.addCount(time, 'warning', { what: 'forged-records', device: BEN }, 3, textsOf('records'));
      for (const { id } of notices.list()) ids.add(id);
    }
    const other = { what: 'forged-records', device: deviceAt(2).deviceId };
    notices.addCount(9, 'warning', other, 1, textsOf('of another'));
    expect(notices.list().map(({ text }) => text)).toEqual([
      'something else',
      '3000 records',
      '1 of another',
    ]);
    expect(ids.size).toBeLessThan(13);
  });
});

describe('notices of made-up devices', () => {
  const madeUp = (notices: Notices, what: string, deviceCount: number): void => {
    for (let index = 0; index < deviceCount; index++) {
      notices.addCount(9, 'warning', { what, device: `device ${index}` }, 2, textsOf(`by ${index}`));
    }
  };

  it('are five of a kind by name, and one of all others with their number', () => {
    const notices = new Notices();
    madeUp(notices, 'forged-records', 17);
    // Again by the same ones: no place more, and nobody is counted twice.
    madeUp(notices, 'forged-records', 17);
    madeUp(notices, 'withheld', 2);
    const texts = notices.list().map(({ text }) => text);
    expect(texts.toSorted()).toEqual(
      ['4 by 0', '4 by 1', '4 by 2', '4 by 3', '4 by 4', '48 of 12 others', '2 by 0', '2 by 1'].toSorted(),
    );
  });

  it('push out nothing that is told of this device, nor of the misdeeds of others', () => {
    const notices = new Notices();
    for (let index = 0; index < 50; index++) notices.add(index, 'error', `this device ${index}`);
    madeUp(notices, 'removed-files', 1);
    for (const what of MISDEEDS) madeUp(notices, what, 2_000);
    for (let index = 0; index < 2_000; index++) {
      notices.add(60, 'warning', `${index} offered damaged bytes`, 'damaged-bytes');
      notices.add(61, 'warning', `${index} runs an older version`, 'other-version');
      notices.add(62, 'warning', `Refused ${index}`, 'unreadable');
    }
    const texts = notices.list().map(({ text }) => text);
    for (let index = 0; index < 50; index++) expect(texts).toContain(`this device ${index}`);
    expect(texts).toContain('4 by 0');
    expect(texts).toHaveLength(50 + 6 * MISDEEDS.length + 3 * 5);
    // Of what others cause, the newest.
    expect(texts).toContain('1999 runs an older version');
  });

  it.each(MISDEEDS)('of %s say how many others there are, and what can be done', (what) => {
    const many = misdeedOfOthersText(what, 12, 1_400);
    expect(many).toContain('And 12 other devices');
    expect(many).toContain('1,400');
    expect(many).toContain('start a new pool');
    expect(misdeedOfOthersText(what, 1, 1)).toContain('And 1 other device ');
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

/** Of each device `12 label`, of the others `12 of 3 others`. */
function textsOf(label: string): CountTexts {
  return {
    ofDevice: (count) => `${count} ${label}`,
    ofOthers: (deviceCount, count) => `${count} of ${deviceCount} others`,
  };
}
