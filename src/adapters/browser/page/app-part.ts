// The app's own files, fetched by the page before it says that it is ready. After that the relay may be gone,
// or serve a newer app under other names, and a page led past a certificate warning has neither a service
// worker nor a cache: what it will need later it must have by then.

import { PalmError } from '../../../core/model/errors.ts';

/**
 * The file at `url`, of this page's own app.
 * @throws PalmError 'worker-failed': which says whether the app was updated, or the relay is gone.
 */
export async function fetchPart(url: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url);
  } catch (cause) {
    throw new PalmError({ code: 'worker-failed', reason: 'relay-gone' }, { cause });
  }
  if (response.ok) return response;
  // Names carry a hash of their contents: one that the relay does not know is of an older app.
  if (response.status === 404) throw new PalmError({ code: 'worker-failed', reason: 'app-updated' });
  throw new PalmError({ code: 'worker-failed', reason: 'not-loaded', status: response.status });
}

/**
 * Why a module of this app could not be imported. The error of `import()` does not say, so the relay is asked
 * for `url`, a file of the same build.
 */
export async function whyNotImported(url: string, cause: unknown): Promise<unknown> {
  try {
    // Not from the cache, which may have kept it.
    const { ok, status } = await fetch(url, { method: 'HEAD', cache: 'no-store' });
    if (ok) return cause;
    if (status === 404) return new PalmError({ code: 'worker-failed', reason: 'app-updated' }, { cause });
    return new PalmError({ code: 'worker-failed', reason: 'not-loaded', status }, { cause });
  } catch {
    return new PalmError({ code: 'worker-failed', reason: 'relay-gone' }, { cause });
  }
}

/**
 * A worker's script, kept in this page's memory: `start` fetches nothing, however often it is called. The
 * script must be one file that imports no other. `name` is shown by developer tools.
 */
export async function keepScript(url: string, name: string): Promise<() => Worker> {
  const response = await fetchPart(url);
  const script = new Blob([await response.arrayBuffer()], { type: 'text/javascript' });
  // Never revoked: the page needs it until it ends.
  const address = `${URL.createObjectURL(script)}#${name}`;
  return () => new Worker(address, { type: 'module', name });
}
