// What a tab sees of a pool without asking, sent to it in changes: of thousands of files few change between
// two looks. Pure.

import type { Failure } from '../../core/model/failures.ts';
import type { Policy } from '../../core/model/policy.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import type { FileStatus } from '../api.ts';
import type { InviteStatus } from '../invite-api.ts';
import type { WordlessPalm, WordlessStatus } from '../worded-palm.ts';

/** What a call that answers at once returns, or the failure with which it rejects. */
type Answered<Value> = { readonly value: Value } | { readonly failure: Failure };

/** All that is seen at one moment. */
export interface Seen {
  readonly status: WordlessStatus;
  readonly invites: Answered<InviteStatus[]>;
  readonly policy: Answered<Policy>;
}

/** From one moment to a later one. */
export interface StatusChanges {
  /** Parts of the status other than its files, with their names; undefined where it has none any more. */
  readonly set: readonly (readonly [string, unknown])[];
  /** Files that are new or changed. */
  readonly changedFiles: readonly FileStatus[];
  /** Ids of all files in their order; absent where it is as before. */
  readonly order?: readonly string[];
  readonly invites?: Seen['invites'];
  readonly policy?: Seen['policy'];
}

export function seenOf(palm: Pick<WordlessPalm, 'status' | 'invites' | 'policy'>): Seen {
  return {
    status: palm.status(),
    invites: answered(() => palm.invites()),
    policy: answered(() => palm.policy()),
  };
}

/** @throws PalmError for a failure. */
export function valueOf<Value>(given: Answered<Value>): Value {
  if ('failure' in given) throw new PalmError(given.failure);
  return given.value;
}

/** Undefined when nothing changed. `before` is undefined for a tab that has seen nothing yet. */
export function changesBetween(before: Seen | undefined, now: Seen): StatusChanges | undefined {
  const set = changedParts(before?.status, now.status);
  const known = before?.status.files ?? [];
  const knownFiles = new Set(known);
  // An unchanged file is the same object as before.
  const changedFiles = now.status.files.filter((file) => !knownFiles.has(file));
  const isSameOrder =
    before !== undefined &&
    known.length === now.status.files.length &&
    known.every(({ fileId }, at) => fileId === now.status.files[at]?.fileId);
  const lists = {
    ...(isSame(before?.invites, now.invites) ? {} : { invites: now.invites }),
    ...(isSame(before?.policy, now.policy) ? {} : { policy: now.policy }),
  };
  const isUnchanged = set.length + changedFiles.length + Object.keys(lists).length === 0 && isSameOrder;
  if (isUnchanged) return undefined;
  const order = isSameOrder ? {} : { order: now.status.files.map(({ fileId }) => fileId) };
  return { set, changedFiles, ...order, ...lists };
}

/** What is seen after `changes`. Unchanged parts are the objects of before. */
export function afterChanges(before: Seen, changes: StatusChanges): Seen {
  const { set, changedFiles, order, invites, policy } = changes;
  const files = new Map(before.status.files.map((file) => [file.fileId, file]));
  for (const file of changedFiles) files.set(file.fileId, file);
  const listed = (order ?? [...files.keys()]).flatMap((fileId) => files.get(fileId) ?? []);
  const parts = { ...before.status, ...Object.fromEntries(set), files: listed };
  const status = Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
  return {
    status: status as unknown as WordlessStatus, // the parts of one, of a tab of the same build
    invites: invites ?? before.invites,
    policy: policy ?? before.policy,
  };
}

function changedParts(before: object | undefined, now: object): [string, unknown][] {
  const [known, current] = [new Map(Object.entries(before ?? {})), new Map(Object.entries(now))];
  for (const name of known.keys()) if (!current.has(name)) current.set(name, undefined);
  current.delete('files');
  return [...current].filter(([name, part]) => !isSame(known.get(name), part));
}

/** Other parts than files are small. */
function isSame(before: unknown, now: unknown): boolean {
  return before === now || JSON.stringify(before) === JSON.stringify(now);
}

function answered<Value>(call: () => Value): Answered<Value> {
  try {
    return { value: call() };
  } catch (error) {
    if (isPalmError(error)) return { failure: error.failure };
    throw error;
  }
}
