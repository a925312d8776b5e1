// The OPFS worker's part in downloads (downloads/opfs-contract.ts). It writes through sync access handles,
// which exist in workers only and are the only way to write a file there without copying all of it.
//
// Invariants: a name is open at most once; a write is whole or fails.

import { discard } from '../../../core/model/bytes.ts';
import { bugDetail, isWrongCall } from '../../../core/model/bug.ts';
import { isPalmError, PalmError } from '../../../core/model/errors.ts';
import type { OpfsService } from '../downloads/opfs-contract.ts';
import type { Outcome } from '../../portable/threads/outcome.ts';
import { openSyncAccess } from './sync-access.ts';

/** @param folder Returns the folder of the files; called at each `open`. */
export function createOpfsService(folder: () => Promise<FileSystemDirectoryHandle>): OpfsService {
  const open = new Map<string, FileSystemSyncAccessHandle>();
  const opened = (name: string): FileSystemSyncAccessHandle => {
    const handle = open.get(name);
    if (handle === undefined) throw new PalmError({ code: 'storage-failed', reason: 'download-not-open' });
    return handle;
  };
  return {
    open: (name, keepBytes) =>
      outcomeOf(async () => {
        const handle = await openIn(await folder(), name);
        try {
          const keptBytes = Math.min(keepBytes, handle.getSize());
          await cut(handle, keptBytes);
          open.set(name, handle);
          return keptBytes;
        } catch (error) {
          handle.close();
          throw error;
        }
      }),
    write: (name, atByte, bytes) =>
      outcomeOf(() => {
        // A full disk may also show as a short count.
        const isWhole = opened(name).write(bytes, { at: atByte }) === bytes.length;
        discard(bytes);
        if (!isWhole) throw storageFull();
      }),
    flush: (name) => outcomeOf(() => opened(name).flush()),
    close: (name) =>
      outcomeOf(() => {
        const handle = open.get(name);
        open.delete(name);
        handle?.close();
      }),
    erase: (name) =>
      outcomeOf(async () => {
        const handle = await openIn(await folder(), name);
        try {
          await cut(handle, 0);
        } finally {
          handle.close();
        }
      }),
  };
}

async function openIn(folder: FileSystemDirectoryHandle, name: string): Promise<FileSystemSyncAccessHandle> {
  const file = await folder.getFileHandle(name, { create: true });
  // The DOM library declares it always present; older browsers lack it.
  if (!('createSyncAccessHandle' in file)) throw unsupported();
  try {
    return await openSyncAccess(file);
  } catch (error) {
    if (isTakenOrFull(error)) throw error;
  }
  // Some engines refuse now and then, others always.
  try {
    return await openSyncAccess(file);
  } catch (error) {
    throw isTakenOrFull(error) ? error : unsupported();
  }
}

function isTakenOrFull(error: unknown): boolean {
  return error instanceof Error && ['NoModificationAllowedError', 'QuotaExceededError'].includes(error.name);
}

/** Zeros written in one call, bytes; then other files get their turn. */
const ZEROS_AT_ONCE = 4 * 1024 * 1024;

/** Overwrites everything after the first `keepBytes`, flushes it, and cuts it off. */
async function cut(handle: FileSystemSyncAccessHandle, keepBytes: number): Promise<void> {
  const endByte = handle.getSize();
  if (endByte > keepBytes) {
    const zeros = new Uint8Array(Math.min(ZEROS_AT_ONCE, endByte - keepBytes));
    for (let at = keepBytes; at < endByte; at += zeros.length) {
      const part = zeros.subarray(0, Math.min(zeros.length, endByte - at));
      if (handle.write(part, { at }) !== part.length) throw storageFull();
      await new Promise((resolve) => setTimeout(resolve));
    }
    handle.flush();
  }
  handle.truncate(keepBytes);
}

async function outcomeOf<Value>(work: () => Value | Promise<Value>): Promise<Outcome<Value>> {
  try {
    return { kind: 'done', value: await work() };
  } catch (error) {
    if (isWrongCall(error)) {
      return {
        kind: 'failed',
        failure: { code: 'worker-failed', reason: 'threw', detail: bugDetail(error) },
      };
    }
    return { kind: 'failed', failure: errorOf(error).failure };
  }
}

function errorOf(error: unknown): PalmError {
  if (isPalmError(error)) return error;
  const name = error instanceof Error ? error.name : String(error);
  switch (name) {
    case 'QuotaExceededError':
      return storageFull();
    case 'NoModificationAllowedError':
      return new PalmError({ code: 'refused', reason: 'download-is-open' });
    // Private windows of Firefox and Safari have no file system of their own.
    case 'SecurityError':
    case 'NotSupportedError':
      return unsupported();
    default:
      return new PalmError({ code: 'storage-failed', reason: 'download', detail: name });
  }
}

function storageFull(): PalmError {
  return new PalmError({ code: 'storage-full', reason: 'download' });
}

function unsupported(): PalmError {
  return new PalmError({ code: 'unsupported', reason: 'no-files' });
}
