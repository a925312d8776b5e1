// What removed files still take on this device, and which absent devices it waits for. Hidden while those
// that it waits for are here: then it is over in a moment.

import { useStatus } from '../state/page.ts';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';

export function RemovedNote() {
  const removed = useStatus((status) => status.removed);
  const devices = useStatus((status) => status.devices);
  if (removed === undefined) return null;
  const absent = devices.filter(({ id, state }) => state !== 'reachable' && removed.waitsFor.includes(id));
  const [first] = absent;
  if (first === undefined) return null;
  return (
    <p class="hint removed-note">
      <bdi>{words.files.removedHere(removed, shownName(first.name), absent.length - 1)}</bdi>
    </p>
  );
}
