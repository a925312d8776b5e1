// What a transport keeps of one connection.

import type { LinkId } from '../../../core/links/link-ids.ts';
import type { Link } from './link.ts';

/** The connection with one device: the machine has at most one for each. */
export interface Slot {
  readonly id: LinkId;
  readonly link: Link;
  isUp: boolean;
  /** Whether the machine waits for a sign of life. */
  isExpected: boolean;
  heardAtMs: number;
  givenAtMs: number;
}

/** One over which nothing has come yet. */
export function newSlot(id: LinkId, link: Link): Slot {
  const never = Number.NEGATIVE_INFINITY;
  return { id, link, isUp: false, isExpected: true, heardAtMs: never, givenAtMs: never };
}
