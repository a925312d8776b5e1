// A signal that follows another at a pace that people can read: a thousand small files change the queue some
// thousand times.

import { effect, signal, type ReadonlySignal } from '@preact/signals';
import type { Delay } from './removals.ts';

export interface Paced<Value> {
  /** The source's value, at most `everyMs` late. */
  readonly shown: ReadonlySignal<Value>;
  /** Stops following. */
  readonly stop: () => void;
}

/** The first change after a quiet period is shown immediately, then one every `everyMs`. */
export function paced<Value>(source: ReadonlySignal<Value>, everyMs: number, delay: Delay): Paced<Value> {
  const shown = signal(source.peek());
  let cancelWait: (() => void) | undefined;
  const wait = (): void => {
    cancelWait = delay(everyMs, () => {
      cancelWait = undefined;
      if (shown.peek() === source.peek()) return;
      shown.value = source.peek();
      wait();
    });
  };
  const stopFollowing = effect(() => {
    const { value } = source;
    if (cancelWait !== undefined || value === shown.peek()) return;
    shown.value = value;
    wait();
  });
  return {
    shown,
    stop() {
      stopFollowing();
      cancelWait?.();
    },
  };
}
