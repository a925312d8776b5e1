// Removals with time to undo them.

import { describe, expect, test } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import { Removals, UNDO_MS } from '../../../src/ui/state/removals.ts';

describe('removals', () => {
  function removalsWith(remove: (fileId: string) => Promise<void>) {
    let due: (() => void) | undefined;
    const delays: number[] = [];
    const failures: string[] = [];
    const delay = (delayMs: number, callback: () => void) => {
      delays.push(delayMs);
      due = callback;
      return () => {
        due = undefined;
      };
    };
    const removals = new Removals({ remove }, delay, ({ name }) => failures.push(name));
    return { removals, delays, failures, elapse: () => due?.() };
  }

  test('hide a file immediately, and tell the pool when the time is over', async () => {
    const told: string[] = [];
    const { removals, delays, elapse } = removalsWith(async (fileId) => void told.push(fileId));
    removals.remove({ fileId: 'f', name: 'a.txt' });
    expect(removals.isHidden('f')).toBe(true);
    expect(told).toEqual([]);
    expect(delays).toEqual([UNDO_MS]);
    elapse();
    expect(told).toEqual(['f']);
    expect(removals.isHidden('f')).toBe(true);
    expect(removals.undoable.value).toEqual([]);
    await settle();
    expect(removals.isHidden('f')).toBe(false);
  });

  test('can be undone together', () => {
    const told: string[] = [];
    const { removals, elapse } = removalsWith(async (fileId) => void told.push(fileId));
    removals.remove({ fileId: 'f', name: 'a' });
    removals.remove({ fileId: 'g', name: 'b' });
    removals.undo();
    expect(removals.isHidden('f')).toBe(false);
    elapse();
    expect(told).toEqual([]);
  });

  test('wait while a person is at the button, then for all of their time', () => {
    const told: string[] = [];
    const { removals, delays, elapse } = removalsWith(async (fileId) => void told.push(fileId));
    removals.remove({ fileId: 'f', name: 'a' });
    removals.hold(true);
    elapse();
    removals.remove({ fileId: 'g', name: 'b' });
    elapse();
    expect(told).toEqual([]);
    removals.hold(false);
    expect(delays).toEqual([UNDO_MS, UNDO_MS]);
    elapse();
    expect(told).toEqual(['f', 'g']);
  });

  test('run again after an undo, although the button went from under the pointer', () => {
    const told: string[] = [];
    const { removals, elapse } = removalsWith(async (fileId) => void told.push(fileId));
    removals.remove({ fileId: 'f', name: 'a' });
    removals.hold(true);
    removals.undo();
    removals.remove({ fileId: 'g', name: 'b' });
    elapse();
    expect(told).toEqual(['g']);
  });

  test('bring the file back if they fail, and say so', async () => {
    const { removals, failures, elapse } = removalsWith(() =>
      Promise.reject(new PalmError({ code: 'unknown-file', reason: 'not-heard-of' })),
    );
    removals.remove({ fileId: 'f', name: 'a.txt' });
    elapse();
    await settle();
    expect(removals.isHidden('f')).toBe(false);
    expect(failures).toEqual(['a.txt']);
  });
});

/** Lets settled promises run their reactions. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}
