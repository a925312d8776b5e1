// What `palm mv` does to which names, as a person who knows `mv` expects; and that it never hides a file.

import { expect, it } from 'vitest';
import { moveAll, stepsOf } from '../../../src/cli/commands/move-command.ts';
import { CommandError, EXIT } from '../../../src/cli/exit-code.ts';
import type { PalmStatus } from '../../../src/runtime/api.ts';

const STATUS = {
  files: [
    ['a', 'one.txt', ''],
    ['b', 'two.txt', 'x'],
    ['c', 'three.txt', 'x/y'],
    ['d', 'one.txt', 'z'],
  ].map(([fileId, name, path]) => ({ fileId, name, path })),
} as unknown as PalmStatus; // the part that is read

it.each([
  ['one.txt', 'first.txt', ['a -> first.txt']],
  ['one.txt', '/new/first.txt', ['a -> new/first.txt']],
  // A folder that is there, and one that a slash makes.
  ['one.txt', 'x', ['a -> x/one.txt']],
  ['x/two.txt', 'new/', ['b -> new/two.txt']],
  ['x/two.txt', '/', ['b -> two.txt']],
  ['x', 'w', ['b -> w/two.txt', 'c -> w/y/three.txt']],
  ['x/', 'z', ['b -> z/x/two.txt', 'c -> z/x/y/three.txt']],
  ['x/y', '/', ['c -> y/three.txt']],
  ['d', 'x/four.txt', ['d -> x/four.txt']],
  ['one.txt', 'one.txt', []],
])('moves %s to %s', (from, to, expected) => {
  const steps = stepsOf(STATUS, from, to);
  expect(
    steps.map(({ file, name, path }) => `${file.fileId} -> ${path === '' ? '' : `${path}/`}${name}`),
  ).toEqual(expected);
});

it.each([
  ['one.txt', 'x/two.txt', EXIT.refused, 'has a file'],
  ['one.txt', 'z', EXIT.refused, 'has a file'],
  ['x', 'x/deeper', EXIT.usage, 'into itself'],
  ['x', 'x/', EXIT.usage, 'into itself'],
  ['one.txt', '', EXIT.usage, 'empty'],
  ['none.txt', 'some.txt', EXIT.noSuchFile, 'palm ls'],
])('does not move %s to %s', (from, to, exitCode, text) => {
  expect(() => stepsOf(STATUS, from, to)).toThrow(
    expect.objectContaining({ exitCode, message: expect.stringContaining(text) }),
  );
});

it('moves back what it moved, when something in the middle cannot be', async () => {
  const names = new Map([
    ['b', 'x/two.txt'],
    ['c', 'x/y/three.txt'],
  ]);
  const device = deviceWith(names, ({ to }) => to === 'w/y/three.txt');
  await expect(moveAll(device, stepsOf(STATUS, 'x', 'w'))).rejects.toMatchObject({
    exitCode: EXIT.storage,
    message: 'The log is full. Nothing was moved.',
  });
  expect([...names.values()].toSorted()).toEqual(['x/two.txt', 'x/y/three.txt']);
});

it('says which files are elsewhere now, if they cannot be moved back either', async () => {
  const names = new Map([
    ['b', 'x/two.txt'],
    ['c', 'x/y/three.txt'],
  ]);
  const device = deviceWith(names, ({ count }) => count > 1);
  await expect(moveAll(device, stepsOf(STATUS, 'x', 'w'))).rejects.toMatchObject({
    exitCode: EXIT.storage,
    message: expect.stringMatching(/ 1 of 2 files .* where they were\..*\nx\/two\.txt -> w\/two\.txt$/su),
  });
  expect([...names.values()].toSorted()).toEqual(['w/two.txt', 'x/y/three.txt']);
});

/** A device whose renames change `names`, each with a new id, until one `fails`. */
function deviceWith(
  names: Map<string, string>,
  fails: (rename: { readonly to: string; readonly count: number }) => boolean,
): Parameters<typeof moveAll>[0] {
  let count = 0;
  return {
    rename: async (fileId, name, path) => {
      count++;
      const to = path === '' ? name : `${path}/${name}`;
      if (fails({ to, count })) throw new CommandError('The log is full.', EXIT.storage, 'log-full');
      if (!names.delete(fileId)) throw new Error(`no file ${fileId}`);
      names.set(`${fileId}${count}`, to);
      return { fileId: `${fileId}${count}` };
    },
  };
}
