// What was dropped: what can be read of it is added, and the rest is listed.

import { expect, test } from 'vitest';
import { MAX_QUEUED_FILES } from '../../../src/ui/state/added.ts';
import { droppedFiles } from '../../../src/ui/state/dropped-files.ts';

const GONE = new DOMException('gone', 'NotFoundError');
const LOCKED = new DOMException('locked', 'NotReadableError');

/**
 * A file or folder of a made-up disk. `failure`: what opening it, or listing its next entries, fails with.
 */
interface Made {
  name: string;
  failure?: DOMException | undefined;
  children?: readonly Made[];
}

test('one unreadable file leaves the others, and can be opened again', async () => {
  const bad: Made = { name: 'b.txt', failure: GONE };
  const added = await drop([{ name: 'a.txt' }, bad, { name: 'c.txt' }]);
  expect(added.files.map(({ file }) => file.name)).toEqual(['a.txt', 'c.txt']);
  expect(added.unread).toMatchObject([
    { name: 'b.txt', path: '', isFolder: false, failure: { failure: { reason: 'gone', of: 'file' } } },
  ]);
  const again = await added.unread[0]?.reread?.();
  expect(again).toMatchObject({ files: [], unread: [{ name: 'b.txt' }] });
  bad.failure = undefined;
  expect(await again?.unread[0]?.reread?.()).toMatchObject({ files: [{ file: { name: 'b.txt' } }] });
});

test('one unreadable folder, or one that fails in the middle, leaves the others, and is looked through again', async () => {
  const half: Made = {
    name: 'half',
    failure: LOCKED,
    children: [{ name: '1' }, { name: '2' }, { name: '3' }],
  };
  const locked: Made = { name: 'locked', failure: LOCKED, children: [] };
  const added = await drop([
    { name: 'top', children: [{ name: 'a' }, locked, half, { name: 'deep', children: [{ name: 'z' }] }] },
  ]);
  // A batch has two entries: the third was not given.
  expect(pathsOf(added)).toEqual(['top/a', 'top/half/1', 'top/half/2', 'top/deep/z']);
  expect(added.unread).toMatchObject([
    {
      name: 'locked',
      path: 'top',
      isFolder: true,
      failure: { failure: { reason: 'unreadable', of: 'folder' } },
    },
    { name: 'half', path: 'top', isFolder: true },
  ]);
  half.failure = undefined;
  expect(pathsOf(await added.unread[1]?.reread?.())).toEqual(['top/half/3']);
});

test('files beyond the limit are counted in all folders', async () => {
  const folder = (name: string, length: number): Made => ({
    name,
    children: Array.from({ length }, (_, at) => ({ name: `${at}` })),
  });
  const added = await drop([folder('a', MAX_QUEUED_FILES - 5), folder('b', 3_000), folder('c', 12_005)]);
  expect(added.files).toHaveLength(MAX_QUEUED_FILES);
  expect(added.beyondCount).toBe(15_000);
}, 30_000);

test('an item that the browser gives nothing for is listed, and so is a drop of files without any', async () => {
  const nothing = {
    kind: 'file',
    type: '',
    getAsFile: () => null,
    getAsString() {},
    webkitGetAsEntry: () => null,
  };
  const loose = { ...nothing, getAsFile: () => new File(['x'], 'loose.txt') };
  const added = await droppedFiles({ items: [nothing, loose] });
  expect(added.files.map(({ file }) => file.name)).toEqual(['loose.txt']);
  const notGiven = [{ name: '', failure: { failure: { reason: 'not-given' } } }];
  expect(added.unread).toMatchObject(notGiven);
  expect((await droppedFiles({ items: [] })).unread).toMatchObject(notGiven);
});

function drop(made: readonly Made[]): ReturnType<typeof droppedFiles> {
  const items = made.map((one) => ({
    kind: 'file',
    type: '',
    getAsFile: () => null,
    getAsString() {},
    webkitGetAsEntry: () => entryOf(one, ''),
  }));
  return droppedFiles({ items });
}

function pathsOf(added: Awaited<ReturnType<typeof droppedFiles>> | undefined): string[] | undefined {
  return added?.files.map(({ file, path }) => `${path}/${file.name}`);
}

function entryOf(made: Made, folder: string): FileSystemEntry {
  const { name, children } = made;
  const fullPath = `${folder}/${name}`;
  const entry = {
    name,
    fullPath,
    isFile: children === undefined,
    isDirectory: children !== undefined,
    filesystem: {
      name: '',
      get root(): FileSystemDirectoryEntry {
        throw new Error('not there');
      },
    },
    getParent() {},
  };
  if (children === undefined) {
    return Object.assign(entry, {
      file(opened: (file: File) => void, failed: (error: DOMException) => void) {
        if (made.failure === undefined) opened(new File(['x'], name));
        else failed(made.failure);
      },
    });
  }
  return Object.assign(entry, {
    createReader() {
      let next = 0;
      return {
        readEntries(read: (batch: FileSystemEntry[]) => void, failed: (error: DOMException) => void) {
          if (made.failure !== undefined && next + 2 > children.length - 1) failed(made.failure);
          else
            read(
              children
                .slice(next, (next += made.failure === undefined ? 100 : 2))
                .map((child) => entryOf(child, fullPath)),
            );
        },
      };
    },
  });
}
