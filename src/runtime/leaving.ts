// How a device leaves its pool, whatever state the pool is in: one that could not be opened is left like any
// other.
//
// Invariant: a wipe that has begun is finished, by a later page if this one ends first. A part that fails
// does not stop the others.

import { atMost } from '../core/at-most.ts';
import { PalmError } from '../core/model/errors.ts';
import type { Clock, Identity, RecordStore } from '../core/ports.ts';
import type { PeerDriver } from './peer/peer-driver.ts';
import type { RuntimePorts } from './runtime-ports.ts';
import { hasPool, saveDeviceName } from './saved-pool.ts';

/** How long leaving waits at most, ms, for a start that hangs and for each device to be told. */
export const LEAVE_STEP_MS = 5_000;

/** How long deleting all data of an origin takes a browser at most, ms. */
const GONE_SETTLES_MS = 1_000;

const LEAVING = 'leaving';

export type WipedPorts = Pick<
  RuntimePorts,
  'secrets' | 'journal' | 'fragments' | 'records' | 'identity' | 'lock'
>;

export async function isLeaveNoted(records: RecordStore): Promise<boolean> {
  return (await records.getMeta(LEAVING)) !== undefined;
}

/**
 * Whether an earlier page left the pool but did not finish the wipe. On a full disk that page could not write
 * the note: then only the pool secret is gone, and the rest is useless without it.
 */
export async function isLeaving({ records, secrets, journal, fragments }: WipedPorts): Promise<boolean> {
  if (await isLeaveNoted(records)) return true;
  if (await hasPool(secrets)) return false;
  const left = await Promise.all([
    records.loadRecords(),
    records.loadOutbox(),
    fragments.list(),
    fragments.owners(),
    journal.load().then(({ stores }) => stores),
  ]);
  return left.some(({ length }) => length > 0);
}

/** For a start that finds a leave unfinished; failures are told. */
export async function finishLeaving(
  ports: WipedPorts,
  deviceName: string,
  tell: (error: unknown) => void,
): Promise<void> {
  await wipe(ports).catch(tell);
  await saveDeviceName(ports, deviceName).catch(tell);
}

/**
 * Deletes everything that this device has of its pool, and erases the keys to it. The pool secret goes first,
 * because it opens every name and gives half of every key. The records go last, because they say that the
 * rest must go. A lock need not be open for this, and goes as well.
 * @throws PalmError 'storage-failed' when something could not be deleted; all else is gone then.
 */
export async function wipe({
  secrets,
  journal,
  fragments,
  records,
  identity,
  lock,
}: WipedPorts): Promise<void> {
  const failures: unknown[] = [];
  const attempt = async (part: () => Promise<unknown>): Promise<void> => {
    try {
      await part();
    } catch (error) {
      failures.push(error);
    }
  };
  // A full disk has no room for the note; the steps below need no space.
  await records.putMeta(LEAVING, true).catch(() => undefined);
  await attempt(() => secrets.clear());
  await attempt(() => journal.clear());
  await attempt(() => fragments.clear());
  await attempt(() => identity.forget());
  await attempt(() => lock.forget());
  await attempt(() => records.clear());
  if (failures.length === 0) return;
  await records.putMeta(LEAVING, true).catch(() => undefined);
  throw new PalmError({ code: 'storage-failed', reason: 'not-all-deleted' }, { cause: failures[0] });
}

/**
 * All data was deleted under these sessions: if the device's key is gone as well, this device never returns,
 * and says so with that key, which only this page still has.
 */
export async function endAfterLoss(
  sessions: readonly (LeavingSession & { readonly identity: Identity })[],
  { identity }: WipedPorts,
  clock: Clock,
  warn: (error: unknown) => void,
): Promise<void> {
  // The browser may still be deleting.
  await new Promise<void>((resolve) => clock.after(GONE_SETTLES_MS, resolve));
  const kept = await identity.load().catch(() => undefined);
  for (const session of sessions) {
    if (kept?.deviceId === session.identity.deviceId) await session.stop().catch(warn);
    else await sayGoodbye(session, clock, warn);
  }
}

interface LeavingSession {
  readonly driver: PeerDriver;
  stop(): Promise<void>;
}

/** Sent first, while the links are open; leaving continues whatever fails. */
export async function sayGoodbye(
  session: LeavingSession,
  clock: Clock,
  warn: (error: unknown) => void,
): Promise<void> {
  const told = session.driver.publish({ kind: 'leave' }).then(() => session.driver.flush());
  // A device that does not read its messages must not hold this one back.
  await atMost(clock, LEAVE_STEP_MS, told).catch(warn);
  await session.stop().catch(warn);
}
