// Parts of a pool that become one (FORMATS.md): which offers are open, what was taken in, and whether a
// device of a part follows the pool that took it in. Pure functions of the acts of both.

import type { DeviceId, EntryId } from '../../model/ids.ts';
import type { ActBody, TakenPart } from './act-body.ts';
import { has, type PlacedAct } from './act-graph.ts';
import type { OtherPart } from './other-parts.ts';
import type { Standings } from './standing.ts';

export type OfferAct = PlacedAct & { readonly body: ActBody & { readonly kind: 'offer' } };

/** A part, or pool, by its own acts. */
export interface Part {
  readonly charter: EntryId;
  readonly placed: readonly PlacedAct[];
  readonly standings: Standings;
}

/** Those that count, of which none of the others knew. Not one that takes an offer back. */
export function openOffers({ charter, placed, standings }: Part): OfferAct[] {
  const offers = placed.flatMap((act) => (isOffer(act) && standings.counts(act.id) ? [act] : []));
  const seen = offers.reduce((before, { past }) => before | past, 0n);
  return offers.filter(({ index, body }) => !has(seen, index) && body.charter !== charter);
}

/** What take-ins that count took in. */
export function takenParts({ placed, standings }: Omit<Part, 'charter'>): TakenPart[] {
  return placed.flatMap(({ id, takesIn }) =>
    takesIn !== undefined && standings.counts(id) ? [takesIn] : [],
  );
}

/** Devices that the part's acts say are out. */
export function outsOf({ placed, standings }: Omit<Part, 'charter'>): DeviceId[] {
  const named = new Set(placed.flatMap(({ names }) => names));
  return [...named].filter((device) => standings.outsOf(device).length > 0).toSorted();
}

/** Devices that are in, and wrote an act or came by one: others follow another charter, or none. */
export function followersOf({ placed, standings }: Omit<Part, 'charter'>): DeviceId[] {
  const own = new Set(placed.flatMap(({ by, terms }) => (terms === undefined ? by : [by, terms.device])));
  return [...own].filter((device) => standings.of(device) !== undefined).toSorted();
}

/** What keeps a device of `own` from following `pool`; undefined where none of its offers was taken there. */
export interface Move {
  /** Devices that are more there than here: out here, or readers. While there are any, it stays. */
  readonly waitsFor: readonly DeviceId[];
  /** Whether it follows. */
  readonly isDue: boolean;
}

export function moveTo(pool: OtherPart, own: Part, self: DeviceId): Move | undefined {
  const to = pool.charter.record.id;
  const offers = openOffers(own).filter(({ body }) => body.charter === to);
  const isTaken = takenParts(pool).some(({ offer }) => offers.some(({ id }) => id === offer));
  if (!isTaken) return undefined;
  const isStaying = takenParts(own).some(({ from }) => from === to) && own.charter < to;
  const lowered = followersOf(own).filter((device) => own.standings.of(device)?.role === 'reader');
  const waitsFor = [
    ...outsOf(own).filter((device) => pool.standings.of(device) !== undefined),
    ...lowered.filter((device) => (pool.standings.of(device)?.role ?? 'reader') !== 'reader'),
  ];
  const isIn = pool.standings.of(self) !== undefined;
  return { waitsFor, isDue: isIn && !isStaying && waitsFor.length === 0 };
}

function isOffer(act: PlacedAct): act is OfferAct {
  return act.body.kind === 'offer';
}
