// The palm bunch: one fruit for each of a file's n fragments, and a sentence with the same content. Pure.
// Fruits on reachable devices come first, so that the file begins to open at the mark after the k-th fruit.

import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { words } from '../text/words.ts';

export type Fruit =
  | { readonly kind: 'reachable'; readonly deviceId: string }
  | { readonly kind: 'away'; readonly deviceId: string }
  | { readonly kind: 'gone'; readonly deviceId: string }
  /** No known device holds this fragment. */
  | { readonly kind: 'missing' };

type HeldKind = Exclude<Fruit['kind'], 'missing'>;

const KINDS = { reachable: 'reachable', suspect: 'away', away: 'away', gone: 'gone' } as const;
const ORDER: Readonly<Record<HeldKind, number>> = { reachable: 0, away: 1, gone: 2 };

/**
 * n fruits: reachable ones grouped by device in `devices` order, then those of devices that are away, of
 * those that are gone, and missing ones. If a fragment has several holders, the reachable one with the
 * fewest of the file's fragments is shown: a device that still keeps all of them for the others would hide
 * how far the file has spread.
 */
export function fruitsOf(file: FileStatus, devices: readonly DeviceStatus[]): readonly Fruit[] {
  const position = new Map(devices.map((device, index) => [device.id, index]));
  const kinds = new Map(devices.map(({ id, state }) => [id, KINDS[state]]));
  const kindOf = (id: string): HeldKind => kinds.get(id) ?? 'away';
  const byDevice = (a: string, b: string): number =>
    ORDER[kindOf(a)] - ORDER[kindOf(b)] ||
    (position.get(a) ?? devices.length) - (position.get(b) ?? devices.length);
  const shownFirst = file.holders.toSorted(
    (a, b) =>
      ORDER[kindOf(a.deviceId)] - ORDER[kindOf(b.deviceId)] ||
      a.fragments.length - b.fragments.length ||
      byDevice(a.deviceId, b.deviceId),
  );
  const holderOf = new Map<number, string>();
  for (const { deviceId, fragments } of shownFirst) {
    for (const fragment of fragments) {
      if (fragment < file.n && !holderOf.has(fragment)) holderOf.set(fragment, deviceId);
    }
  }
  const fruits: Fruit[] = [...holderOf.values()]
    .toSorted(byDevice)
    .map((deviceId) => ({ kind: kindOf(deviceId), deviceId }));
  while (fruits.length < file.n) fruits.push({ kind: 'missing' });
  return fruits;
}

/** "8 fragments, any 4 open the file; 6 reachable. Reachable: Anna's phone 2, Laptop 4. Away: Tablet 2." */
export function bunchText(file: FileStatus, devices: readonly DeviceStatus[]): string {
  const fruits = fruitsOf(file, devices);
  const parts = [words.bunch.geometry(file.n, file.k, countByKind(fruits, 'reachable'))];
  const reachable = perDevice(fruits, 'reachable', devices);
  if (reachable !== '') parts.push(words.bunch.reachable(reachable));
  const away = perDevice(fruits, 'away', devices);
  if (away !== '') parts.push(words.bunch.away(away));
  const gone = perDevice(fruits, 'gone', devices);
  if (gone !== '') parts.push(words.bunch.gone(gone));
  const missing = countByKind(fruits, 'missing');
  if (missing > 0) parts.push(words.bunch.missing(missing));
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
  return device === undefined ? words.bunch.leftDevice : shownDeviceName(device.name);
}

function countByKind(fruits: readonly Fruit[], kind: Fruit['kind']): number {
  return fruits.filter((fruit) => fruit.kind === kind).length;
}
