// Pulling a large fragment: its blocks are asked for ahead of the disk, and beside those that were foretold.

import { describe, expect, it } from 'vitest';
import { type BlockHash, blockKey, ownerOfStore, ownerOfTaking } from '../../../../src/core/model/ids.ts';
import { pullFragment } from '../../../../src/runtime/take/pulling.ts';
import { createMemoryStore } from '../../../sim/memory-store.ts';
import { fileIdAt, itemAt } from '../../../fixtures/pool-fixture.ts';
import { FROM, fragmentOf, type TestFragment } from './test-fragment.ts';

describe('blocks of a large fragment', () => {
  it('are asked for while others travel and are written, a bounded number at a time', async () => {
    const pull = new LargePull(40);
    const pulled = pull.begin();
    await pull.hasAsked(12);
    expect(pull.unanswered).toHaveLength(12);
    // The first call writes four, and eight are on their way: that is no reason to wait.
    pull.isDiskBusy = true;
    pull.answer(4);
    await pull.hasAsked(16);
    expect(pull.unanswered).toHaveLength(12);
    pull.answer(12);
    await pull.isWriting();
    expect(pull.asked, 'the disk is behind').toHaveLength(16);
    pull.isDiskBusy = false;
    pull.answersAll = true;
    pull.answer(pull.unanswered.length);
    pull.written();
    expect((await pulled).kind).toBe('held');
    expect(pull.asked).toEqual(pull.hashes.map(blockKey));
    expect(pull.mostUnanswered).toBe(12);
  });

  it('that nobody fetches are asked for before the last foretold one has come', async () => {
    const pull = new LargePull(6);
    pull.coming = pull.hashes.slice(0, 2);
    pull.answersAll = true;
    const pulled = pull.begin();
    await pull.hasAsked(4);
    // The other foretold one was given up.
    await pull.keepForetold(itemAt(pull.hashes, 0));
    pull.settle();
    expect((await pulled).kind).toBe('held');
    const [, second, ...others] = pull.hashes.map(blockKey);
    expect(pull.asked).toEqual([...others, second]);
  });
});

/** A device that takes a fragment of several blocks, whose answers and disk wait for the test. */
class LargePull {
  readonly asked: string[] = [];
  readonly unanswered: (() => void)[] = [];
  mostUnanswered = 0;
  answersAll = false;
  isDiskBusy = false;
  coming: readonly BlockHash[] = [];
  settle: () => void = () => undefined;
  written: () => void = () => undefined;
  readonly #store = createMemoryStore();
  readonly #fragment: TestFragment;
  readonly #changes = new Set<() => void>();
  #isWriting = false;

  constructor(blockCount: number) {
    this.#fragment = fragmentOf(blockCount, 50);
  }

  get hashes(): readonly BlockHash[] {
    return this.#fragment.blocks.map(({ hash }) => hash);
  }

  begin(): ReturnType<typeof pullFragment> {
    const { fragments } = this.#store;
    const { manifest, index } = this.#fragment;
    const put = fragments.putBlocks.bind(fragments);
    const putBlocks: typeof put = async (...given) => {
      this.#isWriting = true;
      this.#changed();
      if (this.isDiskBusy) await new Promise<void>((resolve) => (this.written = resolve));
      await put(...given);
    };
    Object.assign(fragments, { putBlocks });
    return pullFragment(
      { file: fileIdAt(0), fragment: 0 },
      { id: FROM, name: 'Ben', isAmbiguous: false },
      {
        owner: ownerOfTaking(1),
        manifestOf: () => manifest,
        fragments,
        takeOver: () => ({
          has: (hash) => this.coming.map(blockKey).includes(blockKey(hash)),
          settled: this.coming.length === 0 ? Promise.resolve() : new Promise((go) => (this.settle = go)),
        }),
        request: (ask) => (ask.kind === 'get-block' ? this.#block(ask.hash) : Promise.resolve(index)),
      },
    );
  }

  answer(count: number): void {
    for (const give of this.unanswered.splice(0, count)) give();
  }

  /** Somebody else's fetch of the block ended. */
  keepForetold(hash: BlockHash): Promise<void> {
    const block = this.#fragment.blocks.find((each) => blockKey(each.hash) === blockKey(hash));
    const bytes = block?.bytes.slice() ?? new Uint8Array();
    return this.#store.fragments.putBlocks(ownerOfStore('soon:someone'), [{ hash, bytes }], 'claimed');
  }

  hasAsked(count: number): Promise<void> {
    return this.#until(() => this.asked.length >= count);
  }

  isWriting(): Promise<void> {
    return this.#until(() => this.#isWriting);
  }

  #block(hash: BlockHash): Promise<Uint8Array<ArrayBuffer>> {
    this.asked.push(blockKey(hash));
    const found = this.#fragment.blocks.find((block) => blockKey(block.hash) === blockKey(hash));
    const bytes = found?.bytes.slice() ?? new Uint8Array();
    const answered = this.answersAll
      ? Promise.resolve(bytes)
      : new Promise<Uint8Array<ArrayBuffer>>((resolve) => this.unanswered.push(() => resolve(bytes)));
    this.mostUnanswered = Math.max(this.mostUnanswered, this.unanswered.length);
    this.#changed();
    return answered;
  }

  #changed(): void {
    for (const look of this.#changes) look();
  }

  #until(holds: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return;
        this.#changes.delete(look);
        resolve();
      };
      this.#changes.add(look);
      look();
    });
  }
}
