// The screen stays on while bytes move, and not a moment longer.

import { signal } from '@preact/signals';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keepScreenOn, type HeldLock } from '../../../src/ui/state/screen-awake.ts';

/** A page that can be hidden, and a browser that gives locks or refuses them. */
class World {
  readonly isBusy = signal(false);
  visibilityState: DocumentVisibilityState = 'visible';
  readonly held = new Set<HeldLock>();
  askedCount = 0;
  refuses = false;
  readonly #listeners = new Set<() => void>();

  constructor() {
    const document = {
      visibilityState: this.visibilityState,
      addEventListener: (_type: string, listener: unknown) => {
        if (typeof listener === 'function')
          this.#listeners.add(() => void Reflect.apply(listener, undefined, []));
      },
      removeEventListener: () => this.#listeners.clear(),
    };
    Object.defineProperty(document, 'visibilityState', { get: () => this.visibilityState });
    onTestFinished(keepScreenOn(this.isBusy, { document, wakeLock: { request: () => this.#request() } }));
  }

  async show(visibility: DocumentVisibilityState): Promise<void> {
    this.visibilityState = visibility;
    for (const listener of this.#listeners) listener();
    await settled();
  }

  async busy(isBusy: boolean): Promise<void> {
    this.isBusy.value = isBusy;
    await settled();
  }

  /** As a browser does with a page that is hidden. */
  takeBack(): void {
    for (const lock of this.held) void lock.release();
  }

  async #request(): Promise<HeldLock> {
    this.askedCount += 1;
    await Promise.resolve();
    if (this.refuses) throw new DOMException('The battery is low.', 'NotAllowedError');
    const listeners: (() => void)[] = [];
    const lock: HeldLock = {
      release: async () => {
        this.held.delete(lock);
        for (const listener of listeners) listener();
      },
      addEventListener: (_type, listener) => listeners.push(listener),
    };
    this.held.add(lock);
    return lock;
  }
}

/** Everything that follows from what happened has happened. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('the screen', () => {
  test('is kept on while there is a transfer', async () => {
    const world = new World();
    await settled();
    expect(world.held.size).toBe(0);
    await world.busy(true);
    expect(world.held.size).toBe(1);
    await world.busy(false);
    expect(world.held.size).toBe(0);
  });

  test('is let go when the transfer ends before the lock is there', async () => {
    const world = new World();
    world.isBusy.value = true;
    await world.busy(false);
    expect([world.askedCount, world.held.size]).toEqual([1, 0]);
  });

  test('is kept on again for a page that was hidden meanwhile', async () => {
    const world = new World();
    await world.busy(true);
    world.takeBack();
    await world.show('hidden');
    expect(world.held.size).toBe(0);
    await world.show('visible');
    expect(world.held.size).toBe(1);
  });

  test('is not asked for by a hidden page', async () => {
    const world = new World();
    await world.show('hidden');
    await world.busy(true);
    expect(world.askedCount).toBe(0);
  });

  test('goes dark where the browser refuses, and is asked for again when the page is shown', async () => {
    const world = new World();
    world.refuses = true;
    await world.busy(true);
    expect([world.askedCount, world.held.size]).toEqual([1, 0]);
    world.refuses = false;
    await world.show('visible');
    expect(world.held.size).toBe(1);
  });
});
