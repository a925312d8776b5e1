// Folders' CIDs, held to those that Kubo gave (an empty folder, and that of its documentation), and to what
// the library of IPFS makes of whole files.

import { importer } from 'ipfs-unixfs-importer';
import { describe, expect, it } from 'vitest';
import { fileDagBytes, folderCids } from '../../../src/cli/device/folder-cid.ts';

const NOWHERE = { put: async <Cid>(cid: Cid): Promise<Cid> => cid };
const CHUNK = 262_144;

async function imported(
  files: readonly { readonly path: string; readonly byteCount: number }[],
): Promise<Map<string, { readonly cid: string; readonly dagBytes: number }>> {
  const found = new Map<string, { readonly cid: string; readonly dagBytes: number }>();
  const sources = files.map(({ path, byteCount }) => ({ path, content: pieces(byteCount) }));
  for await (const { path = '', cid, size } of importer(sources, NOWHERE, { profile: 'unixfs-v0-2015' }))
    found.set(path, { cid: cid.toString(), dagBytes: Number(size) });
  return found;
}

async function* pieces(byteCount: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < byteCount; at += 2 ** 20) yield new Uint8Array(Math.min(2 ** 20, byteCount - at));
}

describe('a folder', () => {
  it('of Kubo’s documentation has the CID that Kubo printed', () => {
    const files = [
      ['about', 1_677, 'QmZTR5bcpQD7cFgTorqxZDYaew1Wqgfbd2ud9QqGPAkK2V'],
      ['contact', 189, 'QmYCvbfNbCwFR45HiNP45rwJgvatpiW38D961L5qAhUM5Y'],
      ['help', 311, 'QmY5heUM5qgRubMDD1og9fhCPA6QdkMp3QCwd4s7gJsyE7'],
      ['quick-start', 1_717, 'QmdncfsVm2h5Kqq9hPmU7oAVX2zTSVP3L869tgTbPYnsha'],
      ['readme', 1_091, 'QmPZ9gcCEpqKTo6aq61g2nXGUhM4iCL3ewB6LDXZCtioEB'],
      ['security-notes', 1_016, 'QmTumTjvcYCAvRRwQ8sDRxh8ezmrcr88YFU7iYNroGGTBZ'],
    ] as const;
    const cids = folderCids(files.toReversed().map(([name, size, cid]) => ({ path: '', name, size, cid })));
    expect(Object.fromEntries(cids)).toEqual({ '': 'QmYwAPJzv5CZsnA625s3Xf2nemtYgPpHdWEz79ojWnPbdG' });
  });

  it('that is empty has the CID that Kubo has for it', () => {
    expect(folderCids([]).get('')).toBe('QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn');
  });

  it('has the CID of the library of IPFS, as do those in it', async () => {
    const files = [
      { path: 'a/one', byteCount: 0 },
      { path: 'a/ü two', byteCount: 5 },
      { path: 'a/b/three', byteCount: CHUNK + 1 },
      { path: 'a/b/c/four', byteCount: 3 * CHUNK },
      { path: 'a/b-/five', byteCount: 7 },
    ];
    const expected = await imported(files);
    const ours = folderCids(
      files.map(({ path, byteCount }) => {
        const parts = path.split('/');
        return {
          path: parts.slice(0, -1).join('/'),
          name: parts.at(-1) ?? '',
          size: byteCount,
          cid: expected.get(path)?.cid,
        };
      }),
    );
    for (const path of ['a', 'a/b', 'a/b/c', 'a/b-'])
      expect(ours.get(path), path).toBe(expected.get(path)?.cid);
  });

  it('has none while a file in it has none, has a name twice, or is longer than Kubo keeps in one piece', () => {
    const cid = 'QmbFMke1KXqnYyBBWxB74N4c5SBnJMVAiMNRcGu6x1AwQH';
    const file = (path: string, name: string) => ({ path, name, size: 0, cid });
    const paths = (files: Parameters<typeof folderCids>[0]): string[] => [...folderCids(files).keys()];
    expect(paths([file('a', 'x'), { ...file('b', 'y'), cid: undefined }])).toEqual(['a']);
    expect(paths([file('a', 'x'), file('a', 'x')])).toEqual([]);
    expect(paths([file('a', 'x'), file('a/x', 'y')])).toEqual(['a/x']);
    for (const name of ['x/y', '/', '.', '..', '']) expect(paths([file('a', name)]), name).toEqual([]);
    for (const path of ['a/..', './a', 'a//b', '/a', 'a/'])
      expect(paths([file(path, 'x')]), path).toEqual([]);
    const many = (count: number) =>
      Array.from({ length: count }, (_, at) => file('', String(at).padStart(30, '0')));
    expect(paths(many(4_095))).toEqual(['']);
    expect(paths(many(4_096))).toEqual([]);
  });
});

it.each([
  0,
  1,
  127,
  128,
  CHUNK - 1,
  CHUNK,
  CHUNK + 1,
  174 * CHUNK,
  174 * CHUNK + 1,
  175 * CHUNK,
  349 * CHUNK + 5,
])('a link to a file of %i bytes says what the library of IPFS says', async (byteCount) => {
  const { dagBytes } = (await imported([{ path: 'f', byteCount }])).get('f') ?? {};
  expect(fileDagBytes(byteCount)).toBe(dagBytes);
});
