// What was removed does not come back, and what was not stays: once a device that had listed a name has
// unlisted it, it never lists it again; and it unlists only what somebody removed.

import { Broken, type Actor, type Scene, type StoredFile } from '../scene.ts';

/** What a device heard of shortly before its page ended may be news to the next one, ms. */
const DURABLE_MS = 10_000;

export function keepsRemoved(scene: Scene): () => void {
  return () => {
    for (const actor of scene.running()) {
      const listed = new Set(scene.filesOf(actor).map(({ fileId }) => fileId));
      for (const file of scene.files.values()) {
        if (listed.has(file.fileId)) isListed(scene, actor, file);
        else if (file.knownBy.has(actor.device.id)) isUnlisted(actor, file);
      }
    }
  };
}

function isListed(scene: Scene, { device: { id, name } }: Actor, file: StoredFile): void {
  const { fileId, knownBy, unlistedBy } = file;
  if (unlistedBy.has(id)) throw new Broken(`${name} lists ${fileId} again, which was removed`);
  if (!knownBy.has(id)) knownBy.set(id, scene.world.nowMs);
}

function isUnlisted({ device: { id, name }, runsSinceMs }: Actor, file: StoredFile): void {
  const { fileId, knownBy, storedBy, unlistedBy } = file;
  const knownSinceMs = knownBy.get(id) ?? Infinity;
  if (file.removal !== 'none') {
    unlistedBy.add(id);
    return;
  }
  const mayBeNews = storedBy !== id && runsSinceMs > knownSinceMs && runsSinceMs - knownSinceMs < DURABLE_MS;
  if (!mayBeNews) throw new Broken(`${name} no longer lists ${fileId}, which nobody removed`);
  knownBy.delete(id);
}
