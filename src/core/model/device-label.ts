// Tells devices apart when their names look alike. Any device may take any name, but none can take another
// device's id.

import { visibleName } from './visible-name.ts';

/**
 * Enough to tell a pool's devices apart, and short enough to compare by eye. It proves nothing: a matching id
 * can be searched for.
 */
const SHOWN_ID_CHARACTERS = 6;

/** Double quotation marks of any script. */
const QUOTES = /["“”„‟«»‹›〝〞〟＂❝❞]/gu;

/**
 * `name` as a sentence can quote it: on one line, with everything visible, and with nothing that ends the
 * quotation.
 */
export function quotableName(name: string): string {
  return visibleName(name).replace(QUOTES, "'");
}

/** Equal for names that people would confuse, as far as case, width and quotation marks go. */
export function lookOf(name: string): string {
  return quotableName(name).normalize('NFKC').toLowerCase();
}

/**
 * `suggested`, or with the first number from 2 on that tells it apart from all of `taken`: "Linux laptop
 * (Chrome) 2".
 */
export function freeName(suggested: string, taken: readonly string[]): string {
  const looks = new Set(taken.map(lookOf));
  for (let number = 2, name = suggested; ; number++) {
    if (!looks.has(lookOf(name))) return name;
    name = `${suggested} ${number}`;
  }
}

/** Whether `name` is what `freeName` makes of `suggested`. */
export function isSuggestedName(name: string, suggested: string): boolean {
  return (
    name === suggested ||
    (name.startsWith(`${suggested} `) && /^\d+$/u.test(name.slice(suggested.length + 1)))
  );
}

/** Such as "(…k3vwy2)". */
export function idSuffix(device: string): string {
  return `(…${device.slice(-SHOWN_ID_CHARACTERS)})`;
}
