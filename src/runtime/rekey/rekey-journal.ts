// What re-keying must know after a crash: what its person asked for, which contents are stored anew and wait
// for their names, and which names moved lately. It is small and holds ids only. If it is damaged, nothing is
// lost: old contents keep their names, and are asked for again.

import { tupleOf } from '../../core/encoding/decode.ts';
import { parseDeviceId, parseFileId, type DeviceId, type FileId } from '../../core/model/ids.ts';
import type { RecordStore } from '../../core/ports.ts';
import { softRows } from '../soft-rows.ts';

/** A name that moved to a content that was stored anew. */
export interface MovedName {
  /** The name that was taken away, and who had given it. */
  readonly old: FileId;
  readonly givenBy: DeviceId;
  readonly renewed: FileId;
  readonly to: FileId;
}

export interface RekeyState {
  /** 'all': every exposed content that this device may re-key. Otherwise these contents. */
  readonly wanted: 'all' | readonly FileId[];
  /** From the old content to the new one. */
  readonly pairs: ReadonlyMap<FileId, FileId>;
  /** The latest last. */
  readonly moved: readonly MovedName[];
}

export const NOTHING: RekeyState = { wanted: [], pairs: new Map(), moved: [] };

/** Files that can be asked for by their ids. */
export const MAX_WANTED_FILES = 10_000;
/** Moved names that are remembered, for those who took the old ones away elsewhere at the same time. */
const MAX_MOVED = 1_000;
const MAX_PAIRS = 1_000;
const NAME = 'rekeying';

export async function loadRekeying(records: RecordStore): Promise<RekeyState> {
  const kept = await records.getMeta(NAME);
  const [all, files, pairs, moved] = Array.isArray(kept) ? kept : [];
  return {
    wanted: all === true ? 'all' : softRows(files, MAX_WANTED_FILES, parseFileId).rows,
    pairs: new Map(softRows(pairs, MAX_PAIRS, pairOf).rows),
    moved: softRows(moved, MAX_MOVED, movedOf).rows,
  };
}

/** Durable when it resolves. */
export async function saveRekeying(
  records: RecordStore,
  { wanted, pairs, moved }: RekeyState,
): Promise<void> {
  if (wanted.length === 0 && pairs.size === 0 && moved.length === 0) return records.dropMeta(NAME);
  const files = wanted === 'all' ? [] : wanted;
  const names = moved.map(({ old, givenBy, renewed, to }) => [old, givenBy, renewed, to]);
  await records.putMeta(NAME, [wanted === 'all', [...files], [...pairs], names]);
}

export function withMoved(moved: readonly MovedName[], name: MovedName): readonly MovedName[] {
  return [...moved.filter(({ old }) => old !== name.old), name].slice(-MAX_MOVED);
}

function pairOf(row: unknown): [FileId, FileId] {
  const [from, to] = tupleOf(row, 2);
  return [parseFileId(from), parseFileId(to)];
}

function movedOf(row: unknown): MovedName {
  const [old, givenBy, renewed, to] = tupleOf(row, 4);
  return {
    old: parseFileId(old),
    givenBy: parseDeviceId(givenBy),
    renewed: parseFileId(renewed),
    to: parseFileId(to),
  };
}
