// Leaving the pool: what the page does while it is under way, and when it fails.

import { expect, it } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import type { LeaveOptions } from '../../../src/runtime/api.ts';
import { Leaving } from '../../../src/ui/state/leaving.ts';

function page() {
  const calls: LeaveOptions[] = [];
  const raised: string[] = [];
  let committedCount = 0;
  let settle: { resolve: () => void; reject: (error: unknown) => void } | undefined;
  const leaving = new Leaving({
    palm: {
      leave: (options = {}) => {
        calls.push(options);
        return new Promise<void>((resolve, reject) => {
          settle = { resolve, reject };
          options.signal?.addEventListener('abort', () =>
            reject(new PalmError({ code: 'cancelled', reason: 'stays' })),
          );
        });
      },
    },
    removals: { commit: () => (committedCount += 1) },
    alerts: { raise: (text) => raised.push(text) },
  });
  const fail = (): void =>
    settle?.reject(new PalmError({ code: 'refused', reason: 'no-room-elsewhere', fragmentCount: 2 }));
  return { leaving, calls, raised, fail, end: () => settle?.resolve(), committed: () => committedCount };
}

it('hands over whether its dialog is open or not, and only once at a time', async () => {
  const { leaving, calls, end, committed } = page();
  const done = leaving.leave(true);
  expect([leaving.phase.value, committed()]).toEqual(['handing-over', 1]);
  await leaving.leave(false);
  expect(calls.map(({ handOver }) => handOver)).toEqual([true]);
  leaving.isDialogOpen.value = true;
  leaving.isDialogOpen.value = false;
  expect(leaving.phase.value).toBe('handing-over');
  end();
  await done;
  expect(leaving.phase.value).toBe('not');
});

it('stays when the person wants it, and says nothing of that', async () => {
  const { leaving, raised } = page();
  const done = leaving.leave(true);
  leaving.stay();
  await done;
  expect([leaving.phase.value, leaving.trouble.value, raised]).toEqual(['not', '', []]);
});

it('tells a failure in the dialog if that is open, and otherwise on the screen', async () => {
  const open = page();
  open.leaving.isDialogOpen.value = true;
  const done = open.leaving.leave(true);
  open.fail();
  await done;
  expect(open.leaving.trouble.value).not.toBe('');
  expect(open.raised).toEqual([]);
  const closed = page();
  const alsoDone = closed.leaving.leave(true);
  closed.fail();
  await alsoDone;
  expect(closed.raised).toEqual([open.leaving.trouble.value]);
  expect(closed.leaving.trouble.value).toBe('');
});
