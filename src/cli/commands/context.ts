// What every command has: its device, and how it is to print.

import { join } from 'node:path';
import { defaultDataDir } from '../../adapters/node/data-folder.ts';
import { sameCid } from '../../core/model/content-cid.ts';
import type { DeviceStatus, FileStatus, PalmStatus } from '../../runtime/api.ts';
import { DeviceClient } from '../client.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { words } from '../words.ts';
import { cidIn } from './asked-cid.ts';

/** Flags of every command, as the parser gives them. */
export interface CommonFlags {
  readonly data?: string;
  /** The device's folder itself; for a device that the program starts. */
  readonly folder?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** Those of single commands. */
  readonly [flag: string]: unknown;
}

export interface Context {
  readonly folder: string;
  readonly isJson: boolean;
  readonly isQuiet: boolean;
  readonly signal: AbortSignal;
  device(mayStart?: boolean): Promise<DeviceClient>;
}

/** The folder of the device that belongs to a data folder. */
export function deviceFolderIn(dataDir: string | undefined): string {
  return join(dataDir ?? defaultDataDir(), 'device');
}

export function contextOf(flags: CommonFlags, signal: AbortSignal): Context {
  const folder = flags.folder ?? deviceFolderIn(flags.data);
  return {
    folder,
    isJson: flags.json === true,
    isQuiet: flags.quiet === true || flags.json === true,
    signal,
    device: (mayStart) => DeviceClient.reach(folder, signal, mayStart),
  };
}

/** The file that `name` means: an id, a CID, a name, or a path with a name. @throws CommandError. */
export function fileNamed({ files }: PalmStatus, name: string): FileStatus {
  const byId = files.find(({ fileId }) => fileId === name);
  if (byId !== undefined) return byId;
  const cid = cidIn(name);
  const byCid = files.find((file) => cid !== undefined && sameCid(file.cid ?? '') === cid);
  if (byCid !== undefined) return byCid;
  const plain = name.replace(/^\/+/u, '');
  const named = files.filter((file) => pathOf(file) === plain);
  const found = named.length > 0 ? named : files.filter((file) => file.name === plain);
  const [only, another] = found;
  if (only === undefined) throw new CommandError(words.unknownFile(name), EXIT.noSuchFile, 'unknown-file');
  if (another !== undefined) {
    const ids = found.map(({ fileId }) => fileId);
    throw new CommandError(words.ambiguous(name, ids), EXIT.usage, 'bad-argument');
  }
  return only;
}

/** The device that `name` means: an id, or a name. @throws CommandError. */
export function deviceNamed({ devices }: PalmStatus, name: string): DeviceStatus {
  const byId = devices.find(({ id }) => id === name);
  const found = byId === undefined ? devices.filter((device) => device.name === name) : [byId];
  const [only, another] = found;
  if (only === undefined) throw new CommandError(words.unknownDevice(name), EXIT.usage, 'bad-argument');
  if (another === undefined) return only;
  const ids = found.map(({ id }) => id);
  throw new CommandError(words.ambiguousDevice(name, ids), EXIT.usage, 'bad-argument');
}

export function pathOf({ path, name }: FileStatus): string {
  return path === '' ? name : `${path}/${name}`;
}
