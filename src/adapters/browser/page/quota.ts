// How much this browser stores for Palm's origin and whether it promises to keep it. Insecure pages and old
// browsers have no navigator.storage: nothing is known there, and nothing is promised.

export interface StorageEstimate {
  /** Bytes in use by this origin, as the browser counts them: rounded, and late by some seconds. */
  readonly usedBytes: number;
  /** Bytes it allows this origin; 0 when the browser does not say. */
  readonly quotaBytes: number;
}

export async function storageEstimate(): Promise<StorageEstimate> {
  try {
    const { usage = 0, quota = 0 } = (await storageOf(navigator)?.estimate()) ?? {};
    return { usedBytes: usage, quotaBytes: quota };
  } catch {
    return { usedBytes: 0, quotaBytes: 0 }; // an engine that fails to say, says nothing
  }
}

/**
 * Asks the browser not to evict this origin's data; it may ask the person, or decide alone. Returns whether
 * it promised. Safe to call again: a promise once given is kept.
 */
export async function persistStorage(): Promise<boolean> {
  const storage = storageOf(navigator);
  if (storage === undefined) return false;
  try {
    return (await storage.persisted()) || (await storage.persist());
  } catch {
    return false; // not promised
  }
}

/** The types declare it always present; insecure pages lack it. */
function storageOf(from: { readonly storage?: StorageManager }): StorageManager | undefined {
  return from.storage;
}
