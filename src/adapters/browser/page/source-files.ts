// Files of earlier pages, by the handles that File System Access gives (a dropped file, in Chromium).

import type { SourceHandle } from '../../../core/ports.ts';

/** File System Access (WICG), which TypeScript's DOM library lacks: only Chromium has these. */
interface PermittedHandle extends FileSystemFileHandle {
  queryPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
  requestPermission?(descriptor: { mode: 'read' }): Promise<PermissionState>;
}

/**
 * Whether this browser fails reads of a file that changed after it was chosen. Chromium does: it compares the
 * file's time. Firefox (153) reads on, and WebKit depends on how the file was chosen.
 */
export function noticesChanges(): boolean {
  return /Chrom(?:e|ium)\//u.test(navigator.userAgent);
}

/**
 * Whether the file may be read now. With `ask` the browser may ask the person, but only within a gesture; a
 * browser that does not ask then has refused.
 */
export async function mayReadSource(source: SourceHandle, ask: boolean): Promise<boolean> {
  const handle = handleOf(source);
  if (handle === undefined) return false;
  const mode = { mode: 'read' } as const;
  try {
    const now = (await handle.queryPermission?.(mode)) ?? 'granted';
    if (now === 'granted' || !ask) return now === 'granted';
    return (await handle.requestPermission?.(mode)) === 'granted';
  } catch (error) {
    // SecurityError: no gesture. NotFoundError: the file is gone. Either way it cannot be read now.
    if (error instanceof DOMException) return false;
    throw error;
  }
}

/** The file as it is now; undefined when it no longer exists or cannot be read. */
export async function openSource(source: SourceHandle): Promise<File | undefined> {
  try {
    return await handleOf(source)?.getFile();
  } catch (error) {
    if (error instanceof DOMException) return undefined;
    throw error;
  }
}

function handleOf(source: SourceHandle): PermittedHandle | undefined {
  const exists = typeof FileSystemFileHandle === 'function';
  return exists && source instanceof FileSystemFileHandle ? source : undefined;
}
