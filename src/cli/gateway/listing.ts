// A folder of the pool, as a page for people and as JSON for programs. A folder is there while a file is in
// it.

import type { FileStatus, PalmStatus } from '../../runtime/api.ts';
import { formatBytes } from '../../ui/text/en/units.ts';
import { shownName } from '../../ui/text/file-name.ts';
import { words } from '../words.ts';
import { typeOf } from './send-file.ts';
import { escaped, urlOfFile, urlOfFolder } from './target.ts';

export interface Listing {
  /** '' for the pool itself. */
  readonly path: string;
  readonly folders: readonly { readonly name: string; readonly url: string; readonly cid?: string }[];
  readonly files: readonly ListedFile[];
}

interface ListedFile {
  readonly name: string;
  readonly fileId: string;
  readonly size: number;
  readonly type: string;
  readonly modifiedMs: number;
  readonly storedAtMs: number;
  /** Whether enough fragments can be reached now. */
  readonly readable: boolean;
  readonly url: string;
  /** The IPFS CID of its bytes, as who gave the name says. */
  readonly cid?: string;
}

/** Undefined when no file is in or below the folder; the pool itself may be empty. */
export function listingOf({ files }: Pick<PalmStatus, 'files'>, path: string): Listing | undefined {
  const open = files.filter(isServed);
  const prefix = path === '' ? '' : `${path}/`;
  const inside = open.filter((file) => file.path === path);
  const below = open.filter((file) => file.path !== path && file.path.startsWith(prefix));
  if (path !== '' && inside.length === 0 && below.length === 0) return undefined;
  const names = new Set(below.map((file) => file.path.slice(prefix.length).split('/')[0] ?? ''));
  return {
    path,
    folders: [...names].toSorted().map((name) => ({ name, url: urlOfFolder(prefix + name) })),
    files: inside.map(listed),
  };
}

/**
 * The same for who came by a CID: below the folder that has it, with links that stay there.
 * @param inside the path below that folder, '' for itself.
 */
export function listingBelow(listing: Listing, inside: string, cids: ReadonlyMap<string, string>): Listing {
  return {
    path: inside,
    folders: listing.folders.map(({ name }) => {
      const cid = cids.get(`${listing.path}/${name}`);
      return { name, url: `${escaped(name)}/`, ...(cid === undefined ? {} : { cid }) };
    }),
    files: listing.files.map((file) => ({ ...file, url: escaped(file.name) })),
  };
}

/**
 * Whether the gateway knows the file. A private one is its link's alone: a device that stored or opened it
 * could read it, and so could its tokens.
 */
export function isServed(file: Pick<FileStatus, 'openable' | 'private'>): boolean {
  return file.openable && !file.private;
}

/** The newest file of a path with its name. */
export function fileAt({ files }: Pick<PalmStatus, 'files'>, path: string): FileStatus | undefined {
  return files.findLast(
    (file) => isServed(file) && (file.path === '' ? '' : `${file.path}/`) + file.name === path,
  );
}

/** The newest file of a name in exactly that folder: other than a path, a name may have slashes. */
export function fileIn(
  { files }: Pick<PalmStatus, 'files'>,
  path: string,
  name: string,
): FileStatus | undefined {
  return files.findLast((file) => isServed(file) && file.path === path && file.name === name);
}

function listed(file: FileStatus): ListedFile {
  const { name, fileId, size, modifiedMs, storedAtMs, reach, k, cid } = file;
  return {
    name,
    fileId,
    size,
    type: typeOf(file),
    modifiedMs,
    storedAtMs,
    readable: reach >= k,
    url: urlOfFile(file),
    ...(cid === undefined ? {} : { cid }),
  };
}

/** Without scripts, forms and links to elsewhere. */
export function pageOf({ path, folders, files }: Listing, poolName: string): string {
  const title = htmlText(path === '' ? shownName(poolName) : path.split('/').map(shownName).join(' / '));
  const rows = [
    ...(path === '' ? [] : [row('../', words.gateway.above, '')]),
    ...folders.map(({ name, url }) => row(url, `${shownName(name)}/`, '')),
    ...files.map(({ name, url, size, readable }) =>
      row(
        url,
        shownName(name),
        readable ? formatBytes(size) : `${formatBytes(size)}, ${words.gateway.notNow}`,
      ),
    ),
  ];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>:root{color-scheme:light dark}body{font:1rem system-ui;margin:2rem}td{padding:.2rem 1rem .2rem 0}</style>
<h1>${title}</h1>
<table>
${rows.join('\n')}
</table>
</html>
`;
}

function row(url: string, name: string, note: string): string {
  return `<tr><td><a href="${htmlText(url)}">${htmlText(name)}</a><td>${htmlText(note)}`;
}

function htmlText(text: string): string {
  return text.replace(/[&<>"']/gu, (character) => `&#${character.charCodeAt(0)};`);
}
