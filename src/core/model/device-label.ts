// What tells devices apart whose names look alike. Anybody may take any name; nobody can take another
// device's id.

import { visibleName } from './visible-name.ts';

/**
 * Enough to tell a pool's devices apart, and short enough to compare by eye; of an id that is looked for to
 * match, it proves nothing.
 */
const SHOWN_ID_CHARACTERS = 6;

/** Double quotation marks of any script. */
const QUOTES = /["“”„‟«»‹›〝〞〟＂❝❞]/gu;

/**
 * `name` as a sentence can quote it: on one line, everything in it to be seen, and nothing that ends the
 * quotation.
 */
export function quotableName(name: string): string {
  return visibleName(name).replace(QUOTES, "'");
}

/** Equal for names that people would take for one another, as far as case, width and quotation marks go. */
export function lookOf(name: string): string {
  return quotableName(name).normalize('NFKC').toLowerCase();
}

/** Such as "(…k3vwy2)". */
export function idSuffix(device: string): string {
  return `(…${device.slice(-SHOWN_ID_CHARACTERS)})`;
}
