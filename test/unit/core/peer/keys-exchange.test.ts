// How a device that lacks the keys of an epoch gets them from linked ones.

import { expect, it } from 'vitest';
import { CONTROL_DEADLINE_MS } from '../../../../src/core/model/limits.ts';
import { itemAt } from '../../../fixtures/pool-fixture.ts';
import { type Device, listener, messagesOf, poolOf } from '../../../fixtures/peer-net.ts';

function lacking(device: Device): void {
  device.keys = undefined;
  device.input({ kind: 'keys-looked', isMissing: true });
}

function askedBy(device: Device, others: readonly Device[]): number[] {
  return others.map(({ id }) => messagesOf(device.effects, id, 'keys-wanted').length);
}

it('asks one linked device, and nobody once the keys are here', () => {
  const { net, devices } = poolOf(3);
  const [sleeper, ...others] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
  lacking(sleeper);
  net.pass(10 * CONTROL_DEADLINE_MS);
  expect(sleeper.keys).toEqual(Uint8Array.of(1));
  expect(askedBy(sleeper, others).toSorted((a, b) => a - b)).toEqual([0, 1]);
});

it('asks the next when one has nothing to give, and again later and later, each as often as the others', () => {
  const { net, devices } = poolOf(3);
  const [sleeper, ...others] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
  for (const other of others) other.keys = undefined;
  lacking(sleeper);
  net.settle();
  // After 0, 1, 2 and 4 times the deadline.
  net.pass(4.5 * CONTROL_DEADLINE_MS);
  expect(askedBy(sleeper, others)).toEqual([2, 2]);
  net.pass(60 * 60_000);
  const asked = askedBy(sleeper, others);
  expect(Math.max(...asked)).toBeLessThan(10);
  for (const other of others) other.keys = Uint8Array.of(2);
  net.pass(2 ** 8 * CONTROL_DEADLINE_MS);
  expect(sleeper.keys).toEqual(Uint8Array.of(2));
});

it('asks another at once when the link with the one that was asked ends', () => {
  const { net, devices } = poolOf(3);
  const [sleeper, ...others] = [itemAt(devices, 0), itemAt(devices, 1), itemAt(devices, 2)];
  for (const other of others) other.keys = undefined;
  lacking(sleeper);
  net.settle();
  const first = itemAt(others, askedBy(sleeper, others)[0] === 1 ? 0 : 1);
  net.unlink(sleeper.id, first.id);
  net.settle();
  expect(askedBy(sleeper, others)).toEqual([1, 1]);
});

it('asks everybody for entries again once the keys are here: some could not be opened', () => {
  const { net, devices } = poolOf(2);
  const [sleeper, other] = [itemAt(devices, 0), itemAt(devices, 1)];
  lacking(sleeper);
  const before = messagesOf(sleeper.effects, other.id, 'sync').length;
  sleeper.input({ kind: 'keys-looked', isMissing: true });
  expect(messagesOf(sleeper.effects, other.id, 'sync')).toHaveLength(before);
  sleeper.input({ kind: 'keys-looked', isMissing: false });
  expect(messagesOf(sleeper.effects, other.id, 'sync')).toHaveLength(before + 1);
  net.settle();
});

it('gives keys on one link so often, and leaves it as it is', () => {
  const { device, other } = listener();
  for (let count = 0; count < 64; count++) device.hear(other, { kind: 'keys-wanted' });
  device.hear(other, { kind: 'keys-wanted' });
  expect(device.effects.filter(({ kind }) => kind === 'close-link')).toEqual([]);
  expect(device.effects.filter(({ kind }) => kind === 'give-keys')).toHaveLength(64);
});

it('takes no keys that it did not ask for', () => {
  const { device, other } = listener();
  const sealed = new Uint8Array(100);
  device.hear(other, { kind: 'keys', sealed });
  expect(device.effects.filter(({ kind }) => kind === 'take-keys')).toEqual([]);
  device.keys = undefined;
  device.input({ kind: 'keys-looked', isMissing: true });
  device.hear(other, { kind: 'keys', sealed });
  expect(device.effects.filter(({ kind }) => kind === 'take-keys')).toHaveLength(1);
});
