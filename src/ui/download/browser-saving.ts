// The browser's own ways of saving: the picker of File System Access, and a plain download.

import { isCancelled } from '../text/explain.ts';
import type { BrowserSaving } from './download-store.ts';

/** An object URL is read by the download right after the click; a minute is ample even for a busy phone. */
const URL_LIFETIME_MS = 60_000;

export const browserSaving: BrowserSaving = {
  async pick(suggestedName) {
    try {
      return await window.showSaveFilePicker?.({ suggestedName });
    } catch (error) {
      if (isCancelled(error)) throw error;
      // A policy forbids it, or the gesture is too long ago: a plain download needs neither.
      return undefined;
    }
  },

  download(whole, name) {
    // Not the file's own type: a page from the pool must never open as a page of this origin. Slicing copies
    // nothing.
    const url = URL.createObjectURL(whole.slice(0, whole.size, 'application/octet-stream'));
    const anchor = document.createElement('a');
    anchor.href = url;
    anchor.download = name;
    document.body.append(anchor);
    anchor.click();
    anchor.remove();
    setTimeout(() => URL.revokeObjectURL(url), URL_LIFETIME_MS);
  },
};
