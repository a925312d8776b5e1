// The texts of the screens in the language that people see. It is chosen here only; the title and the text
// without JavaScript in index.html, and its `lang`, belong to the same choice.

import { en, type Words } from './en.ts';

export const words: Words = en;
