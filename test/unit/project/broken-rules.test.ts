// Rules that `npm run test:mutations` breaks on purpose are found in the sources by their text: one that a
// change moved would end that command, which takes too long to run with every change.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BROKEN_RULES } from '../../sim/alone/broken-rules.mjs';

const SRC = join(import.meta.dirname, '..', '..', '..', 'src');

describe('rules broken on purpose', () => {
  it.each(BROKEN_RULES.flatMap(({ name, changes }) => changes.map((change) => ({ name, ...change }))))(
    '$name is once in $file',
    ({ file, from, to }) => {
      expect(readFileSync(join(SRC, file), 'utf8').split(from)).toHaveLength(2);
      expect(to).not.toBe(from);
    },
  );
});
