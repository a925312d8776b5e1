// Commands about files. Bytes pass through as streams: neither a file nor what is missing of one is ever in
// memory as a whole.

import {
  createReadStream,
  createWriteStream,
  existsSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { basename, join, posix, relative, resolve, sep } from 'node:path';
import { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { SMALL_STORES_BYTES } from '../../core/model/limits.ts';
import type { FileStatus, PalmStatus } from '../../runtime/api.ts';
import { shownDeviceName } from '../../ui/text/device-name.ts';
import { formatBytes } from '../../ui/text/en/units.ts';
import { safetyOf } from '../../ui/text/safety-sentence.ts';
import type { DeviceClient } from '../client.ts';
import type { FileInFolder } from '../device/folder-cid.ts';
import type { Added } from '../device/messages.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson, printTable, type Progress, progressOf } from '../output.ts';
import { words } from '../words.ts';
import { addTogether } from './adding-together.ts';
import { askedCid, checkCid, checkedByCid } from './asked-cid.ts';
import { type CommonFlags, type Context, fileNamed, pathOf } from './context.ts';

/** Where a file that is being got lies until it is whole. */
const PART_SUFFIX = '.palm-part';

interface Addition {
  readonly source: string;
  readonly name: string;
  readonly path: string;
  /** Of standard input nobody knows. */
  readonly size: number;
}

export async function add(context: Context, sources: readonly string[], flags: CommonFlags): Promise<void> {
  if (sources.filter((source) => source === '-').length > 1)
    throw new CommandError(words.twoInputs, EXIT.usage);
  const additions = sources.flatMap((source) => additionsOf(source, flags));
  const device = await context.device();
  const added: FileInFolder[] = [];
  const isAlone = (addition: Addition): boolean =>
    additions.length === 1 || bytesOf(addition) > SMALL_STORES_BYTES;
  await addTogether(additions, {
    bytesOf,
    add: (addition) => addOne(context, device, addition, { flags, isAlone: isAlone(addition) }),
    told: (addition, result) => {
      tellAdded(context, addition.name, result);
      added.push({ ...addition, cid: result.cid });
    },
  });
  if (flags['cid'] === true) await tellFolders(context, sources, added, flags);
}

function bytesOf({ source, size }: Addition): number {
  return source === '-' ? Infinity : size;
}

/** The CIDs of folders that were added, as `ipfs add -r --hidden` gives them. */
async function tellFolders(
  context: Context,
  sources: readonly string[],
  added: readonly FileInFolder[],
  flags: CommonFlags,
): Promise<void> {
  const folders = sources.filter((source) => source !== '-' && statSync(source).isDirectory());
  if (folders.length === 0) return;
  const { folderCids } = await import('../device/folder-cid.ts');
  const cids = folderCids(added);
  for (const folder of folders) {
    const path = posix.join(pathFlag(flags), basename(resolve(folder)));
    const cid = cids.get(path);
    if (context.isJson) printJson({ path, cid: cid ?? null });
    else print(cid === undefined ? words.noFolderCid(path) : `ipfs://${cid}  ${path}/`);
  }
}

function pathFlag(flags: CommonFlags): string {
  return typeof flags['path'] === 'string' ? flags['path'] : '';
}

/** A folder is its files, with their paths below it. */
function additionsOf(source: string, flags: CommonFlags): Addition[] {
  const path = pathFlag(flags);
  const named =
    typeof flags['name'] === 'string' || typeof flags['name'] === 'number'
      ? String(flags['name'])
      : undefined;
  if (source === '-') return [{ source, name: named ?? 'stdin', path, size: 0 }];
  const stats = statSync(source, { throwIfNoEntry: false });
  if (stats === undefined) throw new CommandError(words.noSuchFile, EXIT.noSuchFile, 'source-changed');
  if (!stats.isDirectory())
    return [{ source: resolve(source), name: named ?? basename(source), path, size: stats.size }];
  const root = resolve(source);
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const inside = relative(root, entry.parentPath).split(sep).join('/');
      return {
        source: join(entry.parentPath, entry.name),
        name: entry.name,
        size: statSync(join(entry.parentPath, entry.name)).size,
        path: posix.join(path, basename(root), inside).replace(/\/$/u, ''),
      };
    });
}

interface AddingOne {
  readonly flags: CommonFlags;
  /** Whether nothing else is added meanwhile, so that its progress can be shown. */
  readonly isAlone: boolean;
}

async function addOne(
  context: Context,
  device: DeviceClient,
  { source, name, path }: Addition,
  { flags, isAlone }: AddingOne,
): Promise<Added> {
  const isInput = source === '-';
  const progress = progressOf(name, context.isQuiet || !isAlone);
  try {
    return await device.add(
      {
        name,
        path,
        isPrivate: flags['private'] === true,
        withCid: flags['cid'] === true,
        tellsProgress: isAlone && !context.isQuiet,
        ...(isInput ? {} : { file: source }),
        ...(typeof flags['k'] === 'number' ? { k: flags['k'] } : {}),
        ...(typeof flags['n'] === 'number' ? { n: flags['n'] } : {}),
      },
      isInput ? process.stdin : undefined,
      ({ phase, doneBytes, totalBytes }) => progress.at(phaseText(phase), doneBytes, totalBytes),
    );
  } finally {
    progress.end();
  }
}

function tellAdded(context: Context, name: string, result: Added): void {
  const { fileId, deduplicated, link, cid } = result;
  if (context.isJson) {
    printJson(result);
    return;
  }
  print(deduplicated ? words.alreadyThere(name, fileId) : words.added(name, fileId));
  if (cid !== undefined) print(`ipfs://${cid}`);
  if (link !== undefined) print(link);
}

function phaseText(phase: string): string {
  const texts: Readonly<Record<string, string>> = words.phases;
  return texts[phase] ?? phase;
}

export async function get(
  context: Context,
  name: string,
  out: string | undefined,
  flags: CommonFlags,
): Promise<void> {
  const device = await context.device();
  const file = fileNamed(await device.status(), name);
  const link = typeof flags['link'] === 'string' ? flags['link'] : undefined;
  const cid = askedCid(name, file);
  const progress = progressOf(file.name, context.isQuiet);
  try {
    if (out === '-') {
      const bytes = checkedByCid(device.read(file.fileId, 0, link), cid);
      await pipeline(counted(bytes, file, 0, progress), process.stdout, { end: false });
      return;
    }
    const target = targetOf(file, out);
    if (existsSync(target) && flags['force'] !== true)
      throw new CommandError(words.exists(target), EXIT.usage, 'exists');
    await getInto(device, { file, cid }, target, link, progress);
    progress.end();
    if (context.isJson) printJson({ fileId: file.fileId, path: target });
    else print(target);
  } finally {
    progress.end();
  }
}

/** A name of a pool's file is one name here, whatever it has in it. */
function targetOf(file: FileStatus, out: string | undefined): string {
  const last = basename(file.name.replaceAll('\0', '').replaceAll('\\', '_'));
  const own = ['', '.', '..'].includes(last) ? file.fileId : last;
  if (out === undefined) return resolve(own);
  return statSync(out, { throwIfNoEntry: false })?.isDirectory() === true ? join(out, own) : resolve(out);
}

/**
 * Goes on where an earlier try stopped: what it wrote was verified. A file that does not have `cid` is not
 * kept.
 */
async function getInto(
  device: DeviceClient,
  { file, cid }: { readonly file: FileStatus; readonly cid: string | undefined },
  target: string,
  link: string | undefined,
  progress: Progress,
): Promise<void> {
  const part = `${target}${PART_SUFFIX}-${file.contentId.slice(-12)}`;
  const had = statSync(part, { throwIfNoEntry: false })?.size ?? 0;
  const start = had <= file.size ? had : 0;
  const bytes = counted(device.read(file.fileId, start, link), file, start, progress);
  await pipeline(bytes, createWriteStream(part, { flags: start === 0 ? 'w' : 'a', flush: true }));
  if (cid !== undefined)
    await checkCid(createReadStream(part), cid).catch((error: unknown) => {
      if (error instanceof CommandError) rmSync(part);
      throw error;
    });
  renameSync(part, target);
}

async function* counted(
  chunks: AsyncIterable<Buffer>,
  { size }: FileStatus,
  start: number,
  progress: Progress,
): AsyncGenerator<Buffer> {
  let doneBytes = start;
  for await (const chunk of chunks) {
    doneBytes += chunk.length;
    progress.at(words.phases.reading, doneBytes, size);
    yield chunk;
  }
}

/** Reads a file whole, and keeps nothing of it. */
export async function verify(context: Context, names: readonly string[]): Promise<void> {
  const device = await context.device();
  const status = await device.status();
  for (const name of names) {
    const file = fileNamed(status, name);
    const progress = progressOf(file.name, context.isQuiet);
    try {
      const read = checkedByCid(device.read(file.fileId, 0, undefined), askedCid(name, file));
      const bytes = counted(read, file, 0, progress);
      await pipeline(bytes, new Writable({ write: (_chunk, _encoding, done) => done() }));
    } finally {
      progress.end();
    }
    if (context.isJson) printJson({ fileId: file.fileId, size: file.size });
    else print(words.verified(file.name, formatBytes(file.size)));
  }
}

export async function list(context: Context, folder: string | undefined): Promise<void> {
  const { files, devices } = await (await context.device()).status();
  const prefix = folder?.replace(/^\/+|\/+$/gu, '') ?? '';
  const listed = files.filter(
    ({ path }) => prefix === '' || path === prefix || path.startsWith(`${prefix}/`),
  );
  if (context.isJson) printJson(listed);
  else {
    printTable(
      listed.map((file) => [
        pathOf(file),
        formatBytes(file.size),
        safetyOf(file, devices).sentence,
        file.fileId,
      ]),
    );
  }
}

export async function listNames(context: Context): Promise<void> {
  const { files } = await (await context.device()).status();
  if (context.isJson) printJson(files.map(pathOf));
  else printTable(files.map((file) => [pathOf(file)]));
}

export async function remove(context: Context, names: readonly string[]): Promise<void> {
  const device = await context.device();
  const status = await device.status();
  for (const file of names.map((name) => fileNamed(status, name))) {
    await device.remove(file.fileId);
    if (context.isJson) printJson({ fileId: file.fileId });
    else print(words.removed(pathOf(file)));
  }
}

export async function showStatus(context: Context, name: string | undefined): Promise<void> {
  const now = await (await context.device()).status();
  if (name !== undefined) {
    const file = fileNamed(now, name);
    if (context.isJson) printJson(file);
    else showFile(file, now);
    return;
  }
  if (context.isJson) {
    printJson(now);
    return;
  }
  if (now.pool === undefined) throw new CommandError(words.notInPool, EXIT.noPool, 'not-in-pool');
  const safeCount = now.files.filter(({ safe }) => safe).length;
  printTable([
    [words.pool, now.pool.name],
    [words.device, now.device.name],
    [words.relayLabel, words.relay[now.pool.relay]],
    [words.devices, String(now.devices.length)],
    [words.files, `${now.files.length} (${safeCount} ${words.safe})`],
  ]);
  for (const { text } of now.notices) print(text);
}

/** Which device holds which fragments. */
export async function where(context: Context, name: string): Promise<void> {
  const now = await (await context.device()).status();
  const file = fileNamed(now, name);
  if (context.isJson) printJson(file.holders);
  else showHolders(file, now);
}

function showFile(file: FileStatus, now: PalmStatus): void {
  print(`${pathOf(file)}  ${formatBytes(file.size)}  ${file.fileId}`);
  if (file.cid !== undefined) print(`ipfs://${file.cid}`);
  print(safetyOf(file, now.devices).sentence);
  showHolders(file, now);
}

function showHolders({ holders }: FileStatus, { devices }: PalmStatus): void {
  if (holders.length === 0) print(words.nobody);
  for (const { deviceId, fragments } of holders) {
    const name = devices.find(({ id }) => id === deviceId)?.name ?? deviceId;
    print(words.holders(shownDeviceName(name), fragments));
  }
}
