// What people do meanwhile: store, read, remove, name again. What they are told is remembered, and so is what
// they ask for.

import { MemoryFile } from '../memory-file.ts';
import { isPalmError } from '../../../src/core/model/errors.ts';
import type { StoreResult } from '../../../src/runtime/api.ts';
import { Broken, type Actor, type Scene, type StoredFile } from './scene.ts';

/** Plaintext bytes; the last is several segments for a small k. */
const SIZES = [0, 900, 20_000, 60_000, 600_000] as const;
const SHAPES = [
  [2, 3],
  [2, 4],
  [2, 6],
  [3, 5],
  [3, 6],
  [4, 8],
] as const;

export function store(
  scene: Scene,
  actor: Actor,
  shapes: readonly (readonly [number, number])[] = SHAPES,
): void {
  const { random } = scene;
  const [k, n] = scene.pick(shapes) ?? [2, 4];
  const size = SIZES[Math.floor(random.unit() ** 1.7 * SIZES.length)] ?? 900;
  const old = scene.pick(scene.kept());
  const isAgain = old?.link === undefined && random.unit() < 0.15;
  const bytes = isAgain && old !== undefined ? old.bytes : random.bytes(size);
  const isPrivate = !isAgain && random.unit() < 0.15;
  const durability = random.unit() < 0.3 ? 'fast' : 'quorum';
  const name = `file ${(scene.counts.get('store') ?? 0) + 1}`;
  scene.count('store');
  const shape = isPrivate ? `${k} of ${n}, private` : `${k} of ${n}`;
  scene.note(actor, `stores ${name} (${bytes.length} bytes, ${shape}, ${durability})`);
  scene.begun.set(name, { bytes, k, n });
  const { pool } = actor.device;
  const options = { name, k, n, durability, private: isPrivate } as const;
  actor.device.put(bytes, options).then(
    (result) => {
      if (actor.device.pool === pool) acknowledged(scene, actor, name, bytes, { k, n }, result);
    },
    (error: unknown) => scene.note(actor, `cannot store ${name}: ${told(error)}`),
  );
}

function acknowledged(
  scene: Scene,
  actor: Actor,
  name: string,
  bytes: Uint8Array<ArrayBuffer>,
  asked: { readonly k: number; readonly n: number },
  { fileId, placed, link, deduplicated }: StoreResult,
): void {
  const listed = actor.device.fileStatus(fileId);
  const content = scene.contentName(listed?.contentId ?? fileId);
  scene.note(actor, `stored ${name} as ${content} (${placed} placed${deduplicated ? ', had it' : ''})`);
  // Somebody else may have removed the name that was used.
  if (listed === undefined) return;
  const { contentId, k, n } = listed;
  scene.files.set(fileId, {
    fileId,
    name,
    contentId,
    k,
    n,
    bytes,
    link,
    storedBy: actor.device.id,
    removal: 'none',
    knownBy: new Map([[actor.device.id, scene.world.nowMs]]),
    unlistedBy: new Set(),
  });
  const held = new Set<number>();
  for (const each of scene.actors)
    for (const fragment of scene.onDisk(each, contentId).held) held.add(fragment);
  // What the pool had already may be on a device that was wiped while it was away.
  if (!deduplicated && placed > held.size)
    throw new Broken(
      `${name} was acknowledged with ${placed} fragments, and ${held.size} of ${asked.n} exist`,
    );
}

/** Goes on with a store that a crash interrupted; the bytes are chosen again. */
export function resume(scene: Scene, actor: Actor): void {
  const unfinished = scene.pick(actor.device.pool.status().unfinished);
  const begun = unfinished && scene.begun.get(unfinished.name);
  if (unfinished === undefined || begun === undefined) return;
  const { name } = unfinished;
  scene.count('resume');
  scene.note(actor, `goes on storing ${name}`);
  const { pool } = actor.device;
  actor.device.resume(unfinished.id, new MemoryFile(begun.bytes, name)).then(
    (result) => {
      if (actor.device.pool === pool) acknowledged(scene, actor, name, begun.bytes, begun, result);
    },
    (error: unknown) => scene.note(actor, `cannot go on storing ${name}: ${told(error)}`),
  );
}

export function remove(scene: Scene, actor: Actor): void {
  const listed = new Set(scene.filesOf(actor).map(({ fileId }) => fileId));
  const file = scene.pick(scene.kept().filter(({ fileId }) => listed.has(fileId)));
  if (file === undefined) return;
  scene.count('remove');
  scene.note(actor, `removes ${nameOf(scene, file)}`);
  file.removal = 'asked';
  actor.device.pool.remove(file.fileId).then(
    () => {
      file.removal = 'done';
      scene.note(actor, `removed ${nameOf(scene, file)}`);
    },
    (error: unknown) => scene.note(actor, `cannot remove: ${told(error)}`),
  );
}

/** Bytes that come back must be those that were stored; that not all can be read now is no fault. */
export function read(scene: Scene, actor: Actor): void {
  const listed = new Set(scene.filesOf(actor).map(({ fileId }) => fileId));
  const file = scene.pick(scene.kept().filter(({ fileId }) => listed.has(fileId)));
  if (file === undefined) return;
  scene.count('read');
  scene.note(actor, `reads ${nameOf(scene, file)}`);
  readWhole(scene, actor, file).catch((error: unknown) => {
    if (error instanceof Broken) scene.fail(error);
    else scene.note(actor, `cannot read: ${told(error)}`);
  });
}

/** @throws Broken when other bytes come; what the read throws. */
export async function readWhole(scene: Scene, actor: Actor, file: StoredFile): Promise<void> {
  const { fileId, link, bytes } = file;
  scene.readsUnderWay += 1;
  const reading = actor.device.read(fileId, link === undefined ? {} : { link });
  const got = await reading.finally(() => (scene.readsUnderWay -= 1));
  if (Buffer.compare(got, bytes) !== 0)
    throw new Broken(`${actor.device.name} read other bytes than were stored`);
}

/** A file in the trace. */
export function nameOf(scene: Scene, { name, contentId }: StoredFile): string {
  return `${name} (${scene.contentName(contentId)})`;
}

function told(error: unknown): string {
  return isPalmError(error, 'bad-argument') || error instanceof Error ? error.message : String(error);
}
