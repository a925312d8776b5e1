// Goodbyes: a device that says that it goes is away, not suspect.

import { expect, it } from 'vitest';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { poolOf, type Device } from '../../../fixtures/peer-net.ts';

function three(): { leaver: Device; others: readonly Device[]; states: () => string[] } {
  const { devices } = poolOf(3);
  const leaver = itemAt(devices, 0);
  const others = devices.slice(1);
  return { leaver, others, states: () => others.map(({ peer }) => peer.membership.of(leaver.id).state) };
}

it('a device that ended its link is away, one whose link broke is suspect', () => {
  const { leaver, others, states } = three();
  for (const [index, other] of others.entries())
    other.input({ kind: 'link-down', device: leaver.id, isLeft: index === 0 });
  expect(states()).toEqual(['away', 'suspect']);
});

it('a page that is frozen tells all who understand it, and is away when its links break', () => {
  const { leaver, others, states } = three();
  leaver.input({ kind: 'freezing' });
  for (const other of others) {
    expect(leaver.sentTo(other.id, 'goodbye')).toHaveLength(1);
    other.hear(leaver.id, { kind: 'goodbye' });
    other.input({ kind: 'link-down', device: leaver.id });
  }
  expect(states()).toEqual(['away', 'away']);
});
