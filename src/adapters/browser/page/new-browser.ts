// Whether this browser has had a device before: a page can tell without opening, and so creating, anything.

/** All databases of Palm, of any version, have names that begin so. */
const PREFIX = 'palm';

/**
 * True only if Palm has surely stored nothing here. Engines that do not list their databases, and those that
 * fail to, return false.
 */
export async function isNewBrowser(): Promise<boolean> {
  // The DOM library declares it always present; Firefox before 126 lacks it.
  if (!('databases' in indexedDB)) return false;
  try {
    const databases = await indexedDB.databases();
    return !databases.some(({ name }) => name?.startsWith(PREFIX));
  } catch {
    return false;
  }
}
