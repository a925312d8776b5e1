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

it('a page that is frozen tells all who understand it, and is away when its links break later', () => {
  const { net, devices } = poolOf(3);
  const [leaver, ...others] = devices;
  if (leaver === undefined) throw new Error('there are three');
  net.pass(60_000);
  leaver.input({ kind: 'freezing' });
  net.settle();
  for (const other of others) expect(leaver.sentTo(other.id, 'goodbye')).toHaveLength(1);
  net.arrives = (_message, from) => from !== leaver.id;
  net.pass(5_000);
  for (const other of others) {
    other.input({ kind: 'link-down', device: leaver.id });
    expect(other.peer.membership.of(leaver.id).state).toBe('away');
  }
});

it('a goodbye explains silence for two minutes, so that somebody who picks a file is away and not suspect', () => {
  const { net, devices } = poolOf(3);
  const [picker, ...others] = devices;
  if (picker === undefined) throw new Error('there are three');
  net.pass(60_000);
  const states = (): string[] => others.map(({ peer }) => peer.membership.of(picker.id).state);
  picker.input({ kind: 'freezing' });
  net.settle();
  // Frozen: nothing is answered. Then its links are lost.
  net.arrives = (message, from) => from !== picker.id || message.kind === 'goodbye';
  net.pass(90_000);
  for (const other of others) other.input({ kind: 'link-down', device: picker.id });
  expect(states()).not.toContain('suspect');
  net.arrives = () => true;
  for (const other of others) {
    net.unlink(picker.id, other.id);
    net.link(picker, other);
  }
  expect(states()).toEqual(['reachable', 'reachable']);
  // It came back, and much later it vanishes.
  net.pass(180_000);
  for (const other of others) other.input({ kind: 'link-down', device: picker.id });
  expect(states()).toEqual(['suspect', 'suspect']);
});

it.each([
  [60_000, 'away'],
  [0, 'suspect'],
])('a page that was frozen for %i ms calls a device whose link it lost then %s', (frozenMs, state) => {
  const { net, devices } = poolOf(3);
  const [frozen, lost] = devices;
  if (frozen === undefined || lost === undefined) throw new Error('there are three');
  net.pass(180_000);
  // Nothing was due meanwhile, and no clock jumped: only the browser knows.
  frozen.input({ kind: 'woke', frozenMs });
  frozen.input({ kind: 'link-down', device: lost.id });
  expect(frozen.peer.membership.of(lost.id).state).toBe(state);
});
