// `palm mv`: other names for files. Folders of the pool are parts of names, so one that is moved is its
// files.

import type { FileStatus, PalmStatus } from '../../runtime/api.ts';
import type { DeviceClient } from '../client.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson } from '../output.ts';
import { words } from '../words.ts';
import { type Context, fileNamed, pathOf } from './context.ts';

interface Step {
  readonly file: FileStatus;
  readonly name: string;
  readonly path: string;
}

interface Moved {
  readonly step: Step;
  /** Of the new name. */
  readonly fileId: string;
}

export async function move(context: Context, from: string, to: string): Promise<void> {
  const device = await context.device();
  const steps = stepsOf(await device.status(), from, to);
  for (const { step, fileId } of await moveAll(device, steps)) {
    if (context.isJson) printJson({ fileId, name: step.name, path: step.path });
    else print(toldOf(step));
  }
}

/** All of it, or nothing as far as that can be. @throws CommandError, which says what stays moved. */
export async function moveAll(
  device: Pick<DeviceClient, 'rename'>,
  steps: readonly Step[],
): Promise<readonly Moved[]> {
  const done: Moved[] = [];
  try {
    for (const step of steps) {
      const { fileId } = await device.rename(step.file.fileId, step.name, step.path);
      done.push({ step, fileId });
    }
  } catch (error) {
    if (!(error instanceof CommandError) || steps.length === 1) throw error;
    const left = await movedBack(device, done);
    const why =
      left.length === 0
        ? words.notMoved(error.message)
        : words.halfMoved(
            error.message,
            left.map(({ step }) => toldOf(step)),
            steps.length,
          );
    throw new CommandError(why, error.exitCode, error.code);
  }
  return done;
}

/** The last first. Returns those that stay moved. */
async function movedBack(
  device: Pick<DeviceClient, 'rename'>,
  done: readonly Moved[],
): Promise<readonly Moved[]> {
  const left: Moved[] = [];
  for (const moved of done.toReversed()) {
    const { name, path } = moved.step.file;
    try {
      await device.rename(moved.fileId, name, path);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      left.unshift(moved);
    }
  }
  return left;
}

function toldOf({ file, name, path }: Step): string {
  return words.moved(pathOf(file), path === '' ? name : `${path}/${name}`);
}

/** What is to be renamed; all of it is checked before anything is. @throws CommandError. */
export function stepsOf(status: PalmStatus, from: string, to: string): Step[] {
  const folder = trimmed(from);
  const inFolder = status.files.filter(({ path }) => folder !== '' && isWithin(path, folder));
  const isFile = status.files.some((file) => file.fileId === from || pathOf(file) === folder);
  const steps =
    isFile || inFolder.length === 0
      ? [stepOf(status, fileNamed(status, from), to)]
      : inFolder.map((file) => folderStep(status, file, folder, to));
  for (const step of steps) checkFree(status, step);
  return steps.filter(({ file, name, path }) => file.name !== name || file.path !== path);
}

/** As in a shell: into a folder, if there is one of that name or a slash says so. */
function stepOf(status: PalmStatus, file: FileStatus, to: string): Step {
  const target = trimmed(to);
  if (isFolder(status, to)) return { file, name: file.name, path: target };
  if (target === '') throw new CommandError(words.noNewName, EXIT.usage, 'bad-argument');
  const at = target.lastIndexOf('/');
  return { file, name: target.slice(at + 1), path: at < 0 ? '' : target.slice(0, at) };
}

function folderStep(status: PalmStatus, file: FileStatus, folder: string, to: string): Step {
  const target = trimmed(to);
  if (isWithin(target, folder)) throw new CommandError(words.intoItself(folder), EXIT.usage, 'bad-argument');
  const last = folder.slice(folder.lastIndexOf('/') + 1);
  const root = isFolder(status, to) ? [target, last].filter((part) => part !== '').join('/') : target;
  if (root === '') throw new CommandError(words.noNewName, EXIT.usage, 'bad-argument');
  return { file, name: file.name, path: `${root}${file.path.slice(folder.length)}` };
}

function checkFree(status: PalmStatus, { file, name, path }: Step): void {
  const isTaken = status.files.some(
    (other) => other.name === name && other.path === path && other.fileId !== file.fileId,
  );
  const full = path === '' ? name : `${path}/${name}`;
  if (isTaken) throw new CommandError(words.nameTaken(full), EXIT.refused, 'exists');
}

function isFolder({ files }: PalmStatus, to: string): boolean {
  const target = trimmed(to);
  return to.endsWith('/') || (target !== '' && files.some(({ path }) => isWithin(path, target)));
}

function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function trimmed(path: string): string {
  return path.replaceAll(/^\/+|\/+$/gu, '');
}
