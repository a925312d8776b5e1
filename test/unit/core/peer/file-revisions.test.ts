// Revisions of files: equal ones promise that nothing changed in between.

import { expect, it } from 'vitest';
import { fileIdOf } from '../../../../src/core/model/ids.ts';
import { FileRevisions } from '../../../../src/core/peer/file-revisions.ts';

const [FILE, OTHER] = [fileIdOf(Uint8Array.of(1)), fileIdOf(Uint8Array.of(2))];

it('a revision changes with its file and with all files, and not with another file', () => {
  const revisions = new FileRevisions();
  const before = revisions.of(FILE);
  revisions.touch(OTHER);
  expect(revisions.of(FILE)).toBe(before);
  revisions.touch(FILE);
  const touched = revisions.of(FILE);
  expect(touched).not.toBe(before);
  revisions.touchAll();
  expect(revisions.of(FILE)).not.toBe(touched);
});

it('a revision never comes back, even if its file was forgotten in between', () => {
  const revisions = new FileRevisions();
  const seen = new Set<string>();
  for (let round = 0; round < 3; round++) {
    revisions.touch(FILE);
    seen.add(revisions.of(FILE));
    revisions.forget(FILE);
  }
  expect(seen.size).toBe(3);
});
