// Invites by which more devices came in than they were for (FORMATS.md, Invites). It takes parts of a pool
// that did not reach each other: whoever lets a newcomer in counts what it has seen. All of these devices are
// in. Here it follows from the acts alone which of them an admin should look at.
//
// Invariant: an act settles a device only if its writer had seen that the invite was overused. A device that
// was given a role, or shut out, by somebody who did not know of the others stays to be looked at, or keeps
// its place in the count.

import type { DeviceId } from '../../model/ids.ts';
import { has, isBefore, type PlacedAct } from './act-graph.ts';
import type { Standings } from './standing.ts';

export interface InvitedDevice {
  readonly device: DeviceId;
  /** The act that let it in. */
  readonly admit: PlacedAct;
  /** It came in beyond the count, and no admin has decided that it stays. */
  readonly isBeyond: boolean;
}

export interface OverusedInvite {
  /** Its public key, in hexadecimal. */
  readonly invite: string;
  readonly uses: number;
  /** Those that are in, in the order in which they are counted. One at least is beyond. */
  readonly devices: readonly InvitedDevice[];
}

/** By invite. `acts`: of one graph, which `standings` judged. */
export function overusedInvites(acts: readonly PlacedAct[], standings: Standings): readonly OverusedInvite[] {
  const byInvite = new Map<string, PlacedAct[]>();
  for (const act of acts) {
    if (act.terms === undefined || !standings.counts(act.id)) continue;
    const admits = byInvite.get(act.terms.invite) ?? [];
    byInvite.set(act.terms.invite, admits);
    admits.push(act);
  }
  return [...byInvite]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([invite, admits]) => overuseOf(invite, admits, standings) ?? []);
}

function overuseOf(
  invite: string,
  admits: readonly PlacedAct[],
  standings: Standings,
): OverusedInvite | undefined {
  const uses = admits[0]?.terms?.uses ?? 0;
  const first = firstAdmits(admits);
  if (first.size <= uses) return undefined;
  const knew = (act: PlacedAct): boolean =>
    firstAdmits(admits.filter((each) => isBefore(each, act))).size > uses;
  let count = 0;
  const devices: InvitedDevice[] = [];
  for (const [device, admit] of first) {
    if (standings.outsOf(device).some(knew)) continue;
    count += 1;
    if (standings.of(device) === undefined) continue;
    const isKept = standings.giftsOf(device).gifts.some(({ act }) => act.body.kind === 'grant' && knew(act));
    devices.push({ device, admit, isBeyond: count > uses && !isKept });
  }
  return devices.some(({ isBeyond }) => isBeyond) ? { invite, uses, devices } : undefined;
}

/**
 * By device, in the order in which they are counted: by how many admits of the invite are before theirs, then
 * by the admits' ids. So whoever was let in in sight of another comes after it, on every device.
 */
function firstAdmits(admits: readonly PlacedAct[]): ReadonlyMap<DeviceId, PlacedAct> {
  const ordered = admits
    .map((admit) => ({ admit, before: admits.filter(({ index }) => has(admit.past, index)).length }))
    .toSorted((a, b) => a.before - b.before || (a.admit.id < b.admit.id ? -1 : 1));
  const first = new Map<DeviceId, PlacedAct>();
  for (const { admit } of ordered) {
    const device = admit.terms?.device;
    if (device !== undefined && !first.has(device)) first.set(device, admit);
  }
  return first;
}
