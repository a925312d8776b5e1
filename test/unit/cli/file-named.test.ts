// Which file or device a person means, and how the program ends when it is none or several.

import { expect, it } from 'vitest';
import { deviceNamed, fileNamed } from '../../../src/cli/commands/context.ts';
import { CommandError, EXIT } from '../../../src/cli/exit-code.ts';
import type { DeviceStatus, FileStatus, PalmStatus } from '../../../src/runtime/api.ts';

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

it('finds a device by its name or id, and does not guess which of two', () => {
  const names = [
    ['a', 'Laptop'],
    ['b', 'Phone'],
    ['c', 'Phone'],
    ['d', 'b'],
  ];
  const status = { devices: names.map(([id, name]) => ({ id, name })) } as unknown as PalmStatus;
  const find = (name: string) => (): DeviceStatus => deviceNamed(status, name);
  expect(find('Laptop')().id).toBe('a');
  expect(find('b')().id).toBe('b');
  expect(find('Phone')).toThrow(expect.objectContaining({ message: expect.stringContaining('c') }));
  expect(find('Tablet')).toThrow(expect.objectContaining({ exitCode: EXIT.usage }));
});

function statusOf(...files: readonly (readonly [string, string, string])[]): PalmStatus {
  const listed = files.map(([fileId, name, path]) => ({ fileId, name, path }));
  return { files: listed } as unknown as PalmStatus; // the part that is read
}
