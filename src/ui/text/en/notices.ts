// English: the sentence for each notice.

import { idSuffix, lookOf, quotableName } from '../../../core/model/device-label.ts';
import type { Notice, QuotedDevice } from '../../../runtime/notice.ts';
import { quoted } from '../quotation.ts';
import { FAILED_INSIDE } from './bugs.ts';
import { errorText, rejectionText } from './failures.ts';
import { misdeedOfOthersText, misdeedText } from './misdeeds.ts';

/** Of a device without a name. */
export const UNNAMED_DEVICE = 'Unnamed device';

export function noticeText(notice: Notice): string {
  switch (notice.kind) {
    case 'failure':
      return errorText(notice.failure);
    case 'bug':
      return `${FAILED_INSIDE}: ${notice.detail}`;
    case 'rejection':
      return rejectionText(notice.rejection);
    case 'nobody-answers':
      return 'No device of this pool answers yet. You are a member: keep Palm open here and on one of the others.';
    case 'unfinished-damaged':
      return 'What Palm had noted of an interrupted file is damaged, and it cannot be continued. Add the file again.';
    case 'rows-left-out':
      return `Part of what Palm had noted of other devices and of damaged fragments could not be read, and was left out (${notice.count}). The devices tell it again.`;
    case 'catalogue-damaged':
      return 'Some of what this device keeps of the pool’s catalogue cannot be read any more. The other devices have it, and send it again.';
    case 'another-file':
      return `The file chosen for ${quoted(notice.interrupted)} is not the one that was interrupted, or it changed since. What was encrypted of that one was dropped, and ${quoted(notice.chosen)} is stored from its beginning.`;
    case 'damaged-here': {
      const what = notice.what === 'block' ? 'A block' : 'An index';
      const file = notice.file === undefined ? 'a private file' : quoted(notice.file);
      return `${what} of ${file} on this device was damaged. That fragment no longer counts here; the other devices' fragments are used instead.`;
    }
    case 'damaged-offer':
      return `${nameOf(notice.from)} offered damaged bytes; they were not taken.`;
    case 'damaged-block':
      return `A damaged block on ${nameOf(notice.from)} was refused and fetched elsewhere.`;
    case 'device-full':
      return 'This device is full: it took no more fragments.';
    case 'key-not-locked':
      return 'This device is locked, except for the key that it signs with: an earlier version of Palm made it, and a browser does not give such a key back. Whoever takes this browser’s files could sign as this device, and opens nothing with it. To have that key locked as well, leave the pool and join it again.';
    case 'unreadable-message':
      return 'A device sent a message that cannot be read; its link was closed.';
    case 'other-version':
      return notice.isOlder
        ? `${nameOf(notice.device)} runs an older version of Palm. Reload the page there to update; until then it cannot be reached.`
        : `${nameOf(notice.device)} runs a newer version of Palm. Reload this page to update; what is stored here stays.`;
    case 'shut-out':
      return `${nameOf(notice.by)} shut this device out of the pool${notice.reason === '' ? '' : ` (${quoted(notice.reason)})`}. If that is a mistake, ask there to let it back in.`;
    case 'taken-in':
      return `The two parts of this pool are one again: that which ${nameOf(notice.by)} upgraded took this one in. This device is a ${notice.isMember ? 'member' : 'reader'} of it now.`;
    case 'misdeed':
      return misdeedText(notice.what, nameOf(notice.device), notice.count);
    case 'misdeed-of-others':
      return misdeedOfOthersText(notice.what, notice.deviceCount, notice.count);
  }
}

/**
 * For example `“Kitchen tablet”`; `“Kitchen tablet” (…k3vwy2)` where another member looks the same, the
 * device has no name, or its name is the one that Palm gives to a device without a name.
 */
function nameOf(device: QuotedDevice): string {
  return deviceText(device, (name) => `“${name}”`);
}

/** The same, with the name as `written`. */
export function deviceText(
  { id, name, isAmbiguous }: QuotedDevice,
  written: (name: string) => string,
): string {
  const shown = written(quotableName(name || UNNAMED_DEVICE));
  return isAmbiguous || lookOf(name) === lookOf(UNNAMED_DEVICE) ? `${shown} ${idSuffix(id)}` : shown;
}
