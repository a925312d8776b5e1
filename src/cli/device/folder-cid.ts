// The IPFS CIDs of folders, as `ipfs add -r` gives them with Kubo's default import: directories of UnixFS in
// dag-pb, their links by name, a CID of version 0. They follow from the names, sizes and CIDs of the files
// in them, so no byte is read, and nothing more is kept: a folder has a CID while all of its files do.
//
// Invariant: who finds a folder here by its CID knows that its names, and the CIDs of all that is in it, are
// those that the CID means, whoever claimed them: the CID is their hash.

import { createHash } from 'node:crypto';
import { encode, prepare } from '@ipld/dag-pb';
import { CID } from 'multiformats/cid';
import { create as digestOf } from 'multiformats/hashes/digest';

export interface FileInFolder {
  /** Below the folder, without slashes at its ends; '' for the folder itself. */
  readonly path: string;
  readonly name: string;
  readonly size: number;
  readonly cid?: string | undefined;
}

interface Folder {
  readonly folders: Map<string, Folder>;
  readonly files: FileInFolder[];
}

interface Linked {
  readonly cid: CID;
  /** Of the node and all below it. */
  readonly dagBytes: number;
}

const CHUNK_BYTES = 262_144;
const LINKS_PER_NODE = 174;
/** From here on Kubo shards them (HAMT), which is not computed here; names and CIDs together. */
const MAX_LINKS_BYTES = 262_144;
const CID_BYTES = 34;
const SHA2_256_CODE = 0x12;
/** A directory in UnixFS: field 1, type 1. */
const DIRECTORY = Uint8Array.of(0x08, 0x01);

/**
 * The CIDs of a folder and of all below it, by their paths; '' is the folder itself. One is not among them if
 * something in it has no CID, a name that is none in a path, or a name twice, or if it is longer than Kubo
 * keeps in one piece.
 */
export function folderCids(files: Iterable<FileInFolder>): ReadonlyMap<string, string> {
  const root = newFolder();
  for (const file of files) addFile(root, file);
  const found = new Map<string, string>();
  linkTo(root, '', found);
  return found;
}

/** Bytes of all nodes of a file of `size` bytes, which is what links to it say. */
export function fileDagBytes(size: number): number {
  const count = Math.max(1, Math.ceil(size / CHUNK_BYTES));
  let level = {
    count,
    full: leafOf(CHUNK_BYTES),
    last: leafOf(size - (count - 1) * CHUNK_BYTES),
  };
  while (level.count > 1) {
    const parents = Math.ceil(level.count / LINKS_PER_NODE);
    const lastLinks = level.count - (parents - 1) * LINKS_PER_NODE;
    level = {
      count: parents,
      full: parentOf(LINKS_PER_NODE, level.full, level.full),
      last: parentOf(lastLinks, level.full, level.last),
    };
  }
  return level.last.dagBytes;
}

interface FileNode {
  readonly fileBytes: number;
  readonly dagBytes: number;
}

function leafOf(byteCount: number): FileNode {
  const data = byteCount === 0 ? 0 : 1 + varintBytes(byteCount) + byteCount;
  return { fileBytes: byteCount, dagBytes: fieldBytes(2 + data + 1 + varintBytes(byteCount)) };
}

/** Of `count` links, all but the last to nodes like `full`. */
function parentOf(count: number, full: FileNode, last: FileNode): FileNode {
  const fileBytes = (count - 1) * full.fileBytes + last.fileBytes;
  const sizes = (count - 1) * sizeBytes(full) + sizeBytes(last);
  const links = (count - 1) * linkBytes(full) + linkBytes(last);
  const own = links + fieldBytes(2 + 1 + varintBytes(fileBytes) + sizes);
  return { fileBytes, dagBytes: own + (count - 1) * full.dagBytes + last.dagBytes };
}

/** In UnixFS. */
function sizeBytes({ fileBytes }: FileNode): number {
  return 1 + varintBytes(fileBytes);
}

/** In dag-pb: hash, an empty name, and the size. */
function linkBytes({ dagBytes }: FileNode): number {
  return fieldBytes(2 + CID_BYTES + 2 + 1 + varintBytes(dagBytes));
}

/** Of a field of so many bytes: its number, its length and itself. */
function fieldBytes(byteCount: number): number {
  return 1 + varintBytes(byteCount) + byteCount;
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) count++;
  return count;
}

function newFolder(): Folder {
  return { folders: new Map(), files: [] };
}

/** Of a name or path that is none in UnixFS the deepest folder that it could be in has no CID. */
function addFile(root: Folder, file: FileInFolder): void {
  let folder = root;
  const path = file.path === '' ? [] : file.path.split('/');
  for (const name of path) {
    if (isOddName(name)) break;
    const inside = folder.folders.get(name) ?? newFolder();
    folder.folders.set(name, inside);
    folder = inside;
  }
  const isOdd = [...path, file.name].some(isOddName);
  folder.files.push(isOdd ? { ...file, cid: undefined } : file);
}

function isOddName(name: string): boolean {
  return name === '' || name === '.' || name === '..' || name.includes('/');
}

function linkTo(folder: Folder, path: string, found: Map<string, string>): Linked | undefined {
  const links: { readonly Name: string; readonly Hash: CID; readonly Tsize: number }[] = [];
  let isWhole = true;
  for (const [name, inside] of folder.folders) {
    const linked = linkTo(inside, path === '' ? name : `${path}/${name}`, found);
    if (linked === undefined) isWhole = false;
    else links.push({ Name: name, Hash: linked.cid, Tsize: linked.dagBytes });
  }
  for (const { name, size, cid } of folder.files) {
    if (cid === undefined) isWhole = false;
    else links.push({ Name: name, Hash: CID.parse(cid), Tsize: fileDagBytes(size) });
  }
  const names = new Set(links.map(({ Name }) => Name));
  let linksBytes = 0;
  for (const { Name, Hash } of links) linksBytes += Buffer.byteLength(Name) + Hash.bytes.length;
  if (!isWhole || names.size < links.length || linksBytes >= MAX_LINKS_BYTES) return undefined;
  const block = encode(prepare({ Data: DIRECTORY, Links: links }));
  const hash = createHash('sha256').update(block).digest();
  const cid = CID.createV0(digestOf(SHA2_256_CODE, hash));
  found.set(path, cid.toString());
  let dagBytes = block.length;
  for (const { Tsize } of links) dagBytes += Tsize;
  return { cid, dagBytes };
}
