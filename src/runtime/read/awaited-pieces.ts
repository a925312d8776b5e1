// The pieces of a read that begins once the device is open.

import type { PieceSource } from './piece-stream.ts';

type Pieces = AsyncGenerator<Uint8Array<ArrayBuffer>, void, void>;

/**
 * `open` begins the read; it calls `stopped` when something ends it from outside, even if no piece is
 * awaited. `signal` is the caller's.
 */
export function awaitedPieces(
  open: (signal: AbortSignal, stopped: (error: unknown) => void) => Promise<Pieces>,
  signal: AbortSignal | undefined,
): PieceSource {
  let pieces: Pieces | undefined;
  const cancelled = new AbortController();
  const onAbort = (): void => cancelled.abort(signal?.reason);
  if (signal?.aborted === true) onAbort();
  /** A caller may use one signal for many reads: none leaves anything at it, however it ends. */
  const unwatch = (): void => signal?.removeEventListener('abort', onAbort);
  return {
    start: async (fail) => {
      signal?.addEventListener('abort', onAbort, { once: true });
      try {
        pieces = await open(cancelled.signal, (error) => {
          unwatch();
          fail(error);
          // The reader may never ask again: prefetched bytes must not wait for it.
          void pieces?.return();
        });
      } catch (error) {
        unwatch();
        throw error;
      }
    },
    next: async () => {
      try {
        const next = await pieces?.next();
        if (next !== undefined && next.done !== true) return next.value;
      } catch (error) {
        unwatch();
        throw error;
      }
      unwatch();
      return undefined;
    },
    cancel: async () => {
      unwatch();
      cancelled.abort();
      await pieces?.return();
    },
  };
}
