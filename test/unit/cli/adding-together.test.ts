// How `palm add` runs many additions: what runs together, what is told and when, and what a failure leaves.

import { describe, expect, it } from 'vitest';
import { addTogether } from '../../../src/cli/commands/adding-together.ts';
import { MAX_SMALL_STORES, SMALL_STORES_BYTES } from '../../../src/core/model/limits.ts';

interface Addition {
  readonly name: string;
  readonly bytes: number;
}

/** Additions that end when a test says so. */
class Run {
  readonly begun: string[] = [];
  readonly told: string[] = [];
  readonly ends = new Map<string, { readonly end: () => void; readonly fail: (error: unknown) => void }>();

  start(additions: readonly Addition[]): Promise<void> {
    return addTogether(additions, {
      bytesOf: ({ bytes }) => bytes,
      add: ({ name }) =>
        new Promise<string>((resolve, reject) => {
          this.begun.push(name);
          this.ends.set(name, { end: () => resolve(`id of ${name}`), fail: reject });
        }),
      told: ({ name }, result) => this.told.push(`${name}: ${result}`),
    });
  }

  async end(...names: readonly string[]): Promise<void> {
    for (const name of names) this.ends.get(name)?.end();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async fail(name: string): Promise<void> {
    this.ends.get(name)?.fail(new Error(`${name} failed`));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

const small = (name: string): Addition => ({ name, bytes: 10 });

describe('many additions', () => {
  it('run together while they are small, up to a bound', async () => {
    const run = new Run();
    const all = Array.from({ length: MAX_SMALL_STORES + 8 }, (_, at) => small(String(at)));
    const done = run.start(all);
    expect(run.begun).toHaveLength(MAX_SMALL_STORES);
    await run.end('5', '6');
    expect(run.begun).toHaveLength(MAX_SMALL_STORES + 2);
    await run.end(...all.map(({ name }) => name));
    await run.end(...all.map(({ name }) => name));
    await done;
    expect(run.told).toEqual(all.map(({ name }) => `${name}: id of ${name}`));
  });

  it('run alone where they are large, or nobody knows how large', async () => {
    const run = new Run();
    const done = run.start([
      { name: 'input', bytes: Infinity },
      small('a'),
      { name: 'large', bytes: SMALL_STORES_BYTES },
      small('b'),
      small('c'),
    ]);
    expect(run.begun).toEqual(['input']);
    await run.end('input');
    expect(run.begun).toEqual(['input', 'a']);
    await run.end('a');
    expect(run.begun).toEqual(['input', 'a', 'large']);
    await run.end('large');
    expect(run.begun).toEqual(['input', 'a', 'large', 'b', 'c']);
    await run.end('b', 'c');
    await done;
  });

  it('are told in their order, each as soon as all before it have ended', async () => {
    const run = new Run();
    const done = run.start(['a', 'b', 'c'].map(small));
    await run.end('b');
    expect(run.told).toEqual([]);
    await run.end('a');
    expect(run.told).toEqual(['a: id of a', 'b: id of b']);
    await run.end('c');
    await done;
    expect(run.told).toHaveLength(3);
  });

  it('tell what was stored although one failed, and begin no other', async () => {
    const run = new Run();
    const names = Array.from({ length: MAX_SMALL_STORES + 3 }, (_, at) => String(at));
    const failed = expect(run.start(names.map(small))).rejects.toThrow('1 failed');
    await run.fail('2');
    await run.fail('1');
    await run.end('0', '3');
    expect(run.begun).toHaveLength(MAX_SMALL_STORES);
    await run.end(...names);
    await failed;
    expect(run.told[0]).toBe('0: id of 0');
    expect(run.told[1]).toBe('3: id of 3');
    expect(run.told).toHaveLength(MAX_SMALL_STORES - 2);
    expect(run.begun).toHaveLength(MAX_SMALL_STORES);
  });
});
