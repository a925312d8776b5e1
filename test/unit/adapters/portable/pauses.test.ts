import { expect, it } from 'vitest';
import { MessagePauses } from '../../../../src/adapters/portable/pauses.ts';

it('resolves in a later task, and in order', async () => {
  const pauses = new MessagePauses();
  const order: string[] = [];
  const first = pauses.pause().then(() => order.push('first'));
  const second = pauses.pause().then(() => order.push('second'));
  for (let turn = 0; turn < 100; turn++) await Promise.resolve();
  order.push('the end of this task');
  await Promise.all([first, second]);
  expect(order).toEqual(['the end of this task', 'first', 'second']);
});
