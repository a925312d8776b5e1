// Whom an upgraded pool still waits for.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import type { PlacedAct } from './act-graph.ts';
import type { Standings } from './standing.ts';

/**
 * Devices that the charter names, or that came with a part which was taken in, that are in, and on which
 * nobody has confirmed that yet: they would have written an act. None in a pool that began with its charter.
 */
export function awaitedMembers(
  placed: readonly PlacedAct[],
  standings: Standings,
  charter: EntryId | undefined,
): DeviceId[] {
  const body = placed.find(({ id }) => id === charter)?.body;
  if (body?.kind !== 'charter' || body.members.length === 0) return [];
  const writers = new Set(placed.map(({ by }) => by));
  const named = placed.filter(({ id, takesIn }) => takesIn !== undefined && standings.counts(id));
  const members = [...body.members, ...named.flatMap(({ takesIn }) => takesIn?.members ?? [])];
  return [...new Set(members.map(({ device }) => device))].filter(
    (device) => standings.of(device) !== undefined && !writers.has(device),
  );
}
