// What is transferred with a message to a worker.

/** The buffers behind `views`, each once: several may be views of one. */
export function buffersOf(views: readonly Uint8Array[]): ArrayBuffer[] {
  const buffers = new Set<ArrayBuffer>();
  for (const { buffer } of views) if (buffer instanceof ArrayBuffer) buffers.add(buffer);
  return [...buffers];
}
