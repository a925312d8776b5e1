// Sentences with elements within: the words and their order are the language's, the elements the screen's.

import type { ComponentChildren } from 'preact';

/** Puts `text` into an element, such as a link. */
export type Mark = (text: string) => ComponentChildren;
