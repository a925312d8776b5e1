// Whom an upgraded pool still waits for.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import type { PlacedAct } from './act-graph.ts';
import type { Standings } from './standing.ts';

/**
 * Devices that the charter names, that are in, and on which nobody has confirmed the upgrade yet: they would
 * have written an act. None in a pool that began with its charter.
 */
export function awaitedMembers(
  placed: readonly PlacedAct[],
  standings: Standings,
  charter: EntryId | undefined,
): DeviceId[] {
  const body = placed.find(({ id }) => id === charter)?.body;
  if (body?.kind !== 'charter' || body.members.length === 0) return [];
  const writers = new Set(placed.map(({ by }) => by));
  return body.members
    .map(({ device }) => device)
    .filter((device) => standings.of(device) !== undefined && !writers.has(device));
}
