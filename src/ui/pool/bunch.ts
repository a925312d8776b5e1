// The palm bunch: one fruit for each of a file's n fragments, and the words that say the same. Pure.
// Fruits on reachable devices come first, so that the mark after the k-th fruit is where the file begins to open.

import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { shownName } from '../text/file-name.ts';
import { countOf } from '../text/units.ts';

export type Fruit =
  | { readonly kind: 'reachable'; readonly deviceId: string }
  | { readonly kind: 'away'; readonly deviceId: string }
  /** No known device holds this fragment. */
  | { readonly kind: 'missing' };

/** n fruits: reachable ones grouped by device in `devices` order, then away ones, then missing ones. */
export function fruitsOf(file: FileStatus, devices: readonly DeviceStatus[]): readonly Fruit[] {
  const reachableIds = devices.filter((device) => device.state === 'reachable').map((device) => device.id);
  const reachable = new Set(reachableIds);
  const holderOf = new Map<number, string>();
  for (const holder of inDeviceOrder(file.holders, devices)) {
    for (const fragment of holder.fragments) {
      const present = holderOf.get(fragment);
      const better = present === undefined || (!reachable.has(present) && reachable.has(holder.deviceId));
      if (fragment < file.n && better) holderOf.set(fragment, holder.deviceId);
    }
  }
  const order = devices.map((device) => device.id);
  const held = [...holderOf.values()].toSorted((a, b) => rank(a) - rank(b));
  const fruits: Fruit[] = held.map((deviceId) => ({
    kind: reachable.has(deviceId) ? 'reachable' : 'away',
    deviceId,
  }));
  while (fruits.length < file.n) fruits.push({ kind: 'missing' });
  return fruits;

  function rank(deviceId: string): number {
    const place = order.indexOf(deviceId);
    return (reachable.has(deviceId) ? 0 : order.length + 1) + (place === -1 ? order.length : place);
  }
}

/** "8 fragments, any 4 open the file; 6 reachable. Reachable: Anna's phone 2, Laptop 4. Away: Tablet 2." */
export function bunchText(file: FileStatus, devices: readonly DeviceStatus[]): string {
  const fruits = fruitsOf(file, devices);
  const geometry = `${countOf(file.n, 'fragment')}, any ${file.k} ${file.k === 1 ? 'opens' : 'open'} the file`;
  const parts = [`${geometry}; ${countByKind(fruits, 'reachable')} reachable.`];
  const reachable = perDevice(fruits, 'reachable', devices);
  if (reachable !== '') parts.push(`Reachable: ${reachable}.`);
  const away = perDevice(fruits, 'away', devices);
  if (away !== '') parts.push(`Away: ${away}.`);
  const missing = countByKind(fruits, 'missing');
  if (missing > 0) parts.push(`On no known device: ${missing}.`);
  return parts.join(' ');
}

function perDevice(fruits: readonly Fruit[], kind: Fruit['kind'], devices: readonly DeviceStatus[]): string {
  const counts = new Map<string, number>();
  for (const fruit of fruits) {
    if (fruit.kind === kind && fruit.kind !== 'missing') {
      counts.set(fruit.deviceId, (counts.get(fruit.deviceId) ?? 0) + 1);
    }
  }
  return [...counts].map(([id, count]) => `${nameOf(id, devices)} ${count}`).join(', ');
}

function nameOf(deviceId: string, devices: readonly DeviceStatus[]): string {
  const device = devices.find((candidate) => candidate.id === deviceId);
  return device === undefined ? 'a device that left' : shownName(device.name);
}

function countByKind(fruits: readonly Fruit[], kind: Fruit['kind']): number {
  return fruits.filter((fruit) => fruit.kind === kind).length;
}

function inDeviceOrder(
  holders: FileStatus['holders'],
  devices: readonly DeviceStatus[],
): readonly FileStatus['holders'][number][] {
  const place = new Map(devices.map((device, index) => [device.id, index]));
  const last = devices.length;
  return holders.toSorted((a, b) => (place.get(a.deviceId) ?? last) - (place.get(b.deviceId) ?? last));
}
