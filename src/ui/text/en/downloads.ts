// English: the sentences about downloads. `name`: as it is shown; undefined for a private file with an
// unknown name. `why`: a whole sentence.

import { formatBytes } from './units.ts';

export const downloadTexts = {
  saved: (name: string | undefined) => `${fileOf(name)} is saved`,
  handed: (name: string | undefined) => `${fileOf(name)} is in your downloads`,
  gone: (name: string | undefined) =>
    // After a reload the name of a file that the pool no longer has is not known.
    `${name === undefined ? 'A file' : fileOf(name)} was removed from the pool, so the download cannot be finished. The part that had arrived was deleted.`,
  failed: (name: string | undefined, why: string) => `${fileOf(name)} was not downloaded. ${why}`,
  /** In its row. */
  stopped: (why: string, keptBytes: number) =>
    keptBytes === 0 ? why : `${why} ${formatBytes(keptBytes)} are kept: the download continues from there.`,
  permission:
    'This page was reloaded: allow Palm to write to the file you picked, and the download continues.',
  leftover: (name: string | undefined, why: string) =>
    `The unfinished ${name === undefined ? 'private file' : fileOf(name)} could not be deleted: delete it yourself where you saved it. ${why}`,
  tooMany: (most: number) =>
    `${most} downloads are under way or stopped already, so this one was not started. Start it when some are done.`,
  wrongSize: (name: string | undefined, size: number, arrivedBytes: number) =>
    `${fileOf(name)} was not downloaded: ${arrivedBytes} bytes arrived instead of ${size}. Nothing was saved; the pool still has the file. Try again.`,
  notTakenUp: (why: string) => `Interrupted downloads could not be resumed. ${why}`,
  waitsForOthers: 'Waits for the downloads before it',
  waitsForLink: 'Waits for its link: open it here again, and the download continues',
  waitsForDevices: 'Waits for devices: it continues when enough of them are back',
};

function fileOf(name: string | undefined): string {
  return name === undefined ? 'A private file' : `“${name}”`;
}
