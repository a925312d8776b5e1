// Who wants to know when a signal aborts, with one listener for all that wait for the same signal: a device
// that takes many fragments waits for hundreds of answers at a time, all of them until it leaves its pool.

interface Watched {
  readonly waiting: Set<() => void>;
  readonly aborted: () => void;
}

export class AbortWatch {
  readonly #watched = new Map<AbortSignal, Watched>();

  /** Calls `then` once when `signal` aborts, which it has not yet. What is returned ends that. */
  watch(signal: AbortSignal, then: () => void): () => void {
    const watched = this.#watched.get(signal) ?? this.#listen(signal);
    const call = (): void => then();
    watched.waiting.add(call);
    return () => {
      watched.waiting.delete(call);
      if (watched.waiting.size === 0 && this.#watched.get(signal) === watched) this.#forget(signal, watched);
    };
  }

  #listen(signal: AbortSignal): Watched {
    const waiting = new Set<() => void>();
    const watched: Watched = {
      waiting,
      aborted: () => {
        this.#forget(signal, watched);
        for (const call of waiting) call();
      },
    };
    signal.addEventListener('abort', watched.aborted);
    this.#watched.set(signal, watched);
    return watched;
  }

  #forget(signal: AbortSignal, { aborted }: Watched): void {
    signal.removeEventListener('abort', aborted);
    this.#watched.delete(signal);
  }
}
