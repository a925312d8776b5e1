// A folder of files that are read and written in place, on this machine's disk. Everything in it is this
// user's alone.

import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  writeSync,
} from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackFolder, PackHandle } from '../../portable/store/pack-file.ts';

const OWNER_ONLY_FOLDER = 0o700;
const OWNER_ONLY_FILE = 0o600;

/** The folder, made if it is not there. */
export function diskFolder(path: string): PackFolder {
  mkdirSync(path, { recursive: true, mode: OWNER_ONLY_FOLDER });
  const open = new Set<string>();
  return {
    names: async () => named(() => readdirSync(path)),
    async open(name) {
      if (open.has(name)) throw namedError('NoModificationAllowedError', 'a file that is open');
      const flags = constants.O_RDWR | constants.O_CREAT;
      const file = named(() => openSync(join(path, name), flags, OWNER_ONLY_FILE));
      open.add(name);
      return handleOf(file, () => open.delete(name));
    },
    remove: (name) => rm(join(path, name), { force: true }),
  };
}

function handleOf(file: number, closed: () => void): PackHandle {
  return {
    read: (bytes, { at }) => readSync(file, bytes, 0, bytes.length, at),
    write(bytes, { at }) {
      let writtenBytes = 0;
      while (writtenBytes < bytes.length) {
        const [from, rest] = [writtenBytes, bytes.length - writtenBytes];
        const count = named(() => writeSync(file, bytes, from, rest, at + from));
        if (count === 0) break;
        writtenBytes += count;
      }
      return writtenBytes;
    },
    getSize: () => fstatSync(file).size,
    truncate: (byteCount) => named(() => ftruncateSync(file, byteCount)),
    flush: () => named(() => fsyncSync(file)),
    close() {
      closeSync(file);
      closed();
    },
  };
}

/** What browsers call these. */
const NAMES: Readonly<Record<string, string>> = {
  ENOENT: 'NotFoundError',
  ENOSPC: 'QuotaExceededError',
  EDQUOT: 'QuotaExceededError',
};

/** Runs `work`; its failures have the names that browsers give them. */
function named<Value>(work: () => Value): Value {
  try {
    return work();
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
    const name = NAMES[code];
    throw name === undefined ? cause : namedError(name, code, cause);
  }
}

function namedError(name: string, message: string, cause?: unknown): Error {
  const error = new Error(message, { cause });
  error.name = name;
  return error;
}
