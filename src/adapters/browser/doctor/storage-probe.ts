// What this browser stores for the page, whether it promises to keep it, and whether a file can be written
// and read again. The file is removed at once.

import type { StorageSeen } from '../../../core/doctor/facts.ts';
import { storageEstimate } from '../page/quota.ts';

const BYTES = Uint8Array.from({ length: 4_096 }, (_, index) => index & 0xff);
/** Engines that give a window no files say so by one of these. */
const REFUSALS = ['SecurityError', 'NotSupportedError', 'UnknownError'];

export async function lookAtStorage(): Promise<StorageSeen> {
  const [estimate, isKept, filesWork] = await Promise.all([storageEstimate(), persisted(), tryFiles()]);
  return { ...estimate, isKept, filesWork };
}

async function persisted(): Promise<boolean | undefined> {
  try {
    return await navigator.storage.persisted();
  } catch {
    return undefined; // an engine that fails to say, says nothing
  }
}

async function tryFiles(): Promise<boolean | undefined> {
  // The library declares it always present.
  if (!('getDirectory' in navigator.storage)) return undefined;
  try {
    return await writeAndRead(await navigator.storage.getDirectory());
  } catch (error) {
    return error instanceof Error && REFUSALS.includes(error.name) ? undefined : false;
  }
}

async function writeAndRead(root: FileSystemDirectoryHandle): Promise<boolean> {
  const name = `palm-doctor-${crypto.randomUUID()}`;
  const handle = await root.getFileHandle(name, { create: true });
  try {
    // Some engines write from workers only: there, that the file could be made must do.
    if (!('createWritable' in handle)) return true;
    const writable = await handle.createWritable();
    await writable.write(BYTES);
    await writable.close();
    const read = new Uint8Array(await (await handle.getFile()).arrayBuffer());
    return read.length === BYTES.length && read.every((byte, index) => byte === BYTES[index]);
  } finally {
    await root.removeEntry(name);
  }
}
