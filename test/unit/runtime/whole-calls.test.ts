// The faces that pass calls on take all parameters that the device takes: one that is left out compiles, and
// what a page or program said with it would be lost without a sign.

import { expectTypeOf, it } from 'vitest';
import type { Palm } from '../../../src/runtime/api.ts';
import type { AwaitedPalm } from '../../../src/runtime/awaited-palm.ts';
import type { WordedPalm, WordlessPalm } from '../../../src/runtime/worded-palm.ts';

/** The names of methods for which `Face` takes fewer arguments than `Whole`. */
type Cut<Face, Whole> = {
  [Name in keyof Face & keyof Whole]: Whole[Name] extends (...args: infer All) => unknown
    ? Face[Name] extends (...args: infer Taken) => unknown
      ? All['length'] extends Taken['length']
        ? never
        : Name
      : never
    : never;
}[keyof Face & keyof Whole];

interface Example {
  follow(id: string, options?: object): void;
  leave(): void;
}

it('finds a parameter that is left out', () => {
  expectTypeOf<Cut<{ follow(id: string): void; leave(): void }, Example>>().toEqualTypeOf<'follow'>();
  expectTypeOf<Cut<Example, Example>>().toEqualTypeOf<never>();
});

it('the page’s face takes all that the device takes', () => {
  expectTypeOf<Cut<WordedPalm, WordlessPalm>>().toEqualTypeOf<never>();
  expectTypeOf<Cut<WordedPalm, Palm>>().toEqualTypeOf<never>();
});

it('a device that is still being loaded takes all that the device takes', () => {
  expectTypeOf<Cut<AwaitedPalm, WordlessPalm>>().toEqualTypeOf<never>();
});
