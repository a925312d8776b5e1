// English: files that are stored anew under new keys.

import type { SparingReason } from '../../../core/model/sparing.ts';
import type { RekeyRun, RekeyStatus } from '../../../runtime/rekey-api.ts';
import { countOf, formatBytes } from './units.ts';

const SPARES: Record<SparingReason, string> = {
  'battery-low': 'It waits until this device is charged.',
  'data-saver': 'It waits while the browser saves data.',
};

function restOf({ ofOthers, privateFiles }: RekeyStatus): string {
  const others =
    ofOthers > 0
      ? ` ${countOf(ofOthers, 'more file', 'more files')} can only be re-keyed by an admin or by the devices that added them.`
      : '';
  const privates =
    privateFiles > 0
      ? ` ${countOf(privateFiles, 'private file', 'private files')} cannot be re-keyed, because only their links open them.`
      : '';
  return others + privates;
}

export const rekeyTexts = {
  heading: 'Files of before',
  offer: (rekey: RekeyStatus) =>
    `${countOf(rekey.files, 'file', 'files')} (${formatBytes(rekey.bytes)}) of this pool still open with the keys of a device that was shut out. Nobody gives it their fragments, but it may have kept some.${restOf(rekey)}`,
  what: 'Re-keying stores each file anew with new keys, in the background, and lets go of the old fragments once the new ones are as safe. Names and dates stay. It needs free space meanwhile, and the files then count as added by this device. What the other device opened or saved before stays with it.',
  start: 'Re-key them',
  starting: 'Beginning…',
  stop: 'Stop',
  stopping: 'Stopping…',
  done: ({ doneFiles, leftFiles }: RekeyRun) =>
    `${doneFiles} of ${countOf(doneFiles + leftFiles, 'file', 'files')} re-keyed`,
  state: ({ state, spares }: RekeyRun): string => {
    switch (state) {
      case 'storing':
        return 'Storing a file anew. You can go on using the pool, or close this page: it goes on when you open it again.';
      case 'placing':
        return 'Waiting until the new fragments are as safe as the old ones, which stay until then. Keep the other devices awake.';
      case 'waiting':
        return 'The rest waits for devices or space that are not there now. It goes on by itself.';
      case 'spared':
        return spares === undefined ? '' : SPARES[spares];
    }
  },
};
