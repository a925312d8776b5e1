// Which file a person means, and how the program ends when it is none or several.

import { expect, it } from 'vitest';
import { fileNamed } from '../../../src/cli/commands/context.ts';
import { CommandError, EXIT } from '../../../src/cli/exit-code.ts';
import type { FileStatus, PalmStatus } from '../../../src/runtime/api.ts';

const STATUS = statusOf(['a', 'one.txt', ''], ['b', 'two.txt', 'x'], ['c', 'two.txt', 'y'], ['d', 'b', '']);

it.each([
  ['one.txt', 'a'],
  ['/one.txt', 'a'],
  ['x/two.txt', 'b'],
  // An id comes first: no file can take another's place by its name.
  ['b', 'b'],
])('finds %s', (name, fileId) => {
  expect(fileNamed(STATUS, name).fileId).toBe(fileId);
});

it.each([
  ['three.txt', EXIT.noSuchFile, 'palm ls'],
  ['../one.txt', EXIT.noSuchFile, 'palm ls'],
  ['two.txt', EXIT.usage, 'c'],
])('does not guess what %s means', (name, exitCode, words) => {
  const find = (): FileStatus => fileNamed(STATUS, name);
  expect(find).toThrow(CommandError);
  expect(find).toThrow(expect.objectContaining({ exitCode, message: expect.stringContaining(words) }));
});

function statusOf(...files: readonly (readonly [string, string, string])[]): PalmStatus {
  const listed = files.map(([fileId, name, path]) => ({ fileId, name, path }));
  return { files: listed } as unknown as PalmStatus; // the part that is read
}
