// Leaving the pool: says what will be lost with this device, before it leaves.

import { useSignal } from '@preact/signals';
import { lostByLeaving } from './lost-by-leaving.ts';
import { Dialog } from '../parts/dialog.tsx';
import { explain } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import { countOf, formatBytes } from '../text/units.ts';
import { usePage } from '../state/page.ts';

/** Names help to recognise what is at stake; the count covers the rest. */
const MAX_NAMED = 5;

export function LeaveDialog({ onClose }: { readonly onClose: () => void }) {
  const { palm, status, removals } = usePage();
  const leaving = useSignal(false);
  const trouble = useSignal('');
  const { device, devices, files } = status.value;
  const heldBytes = devices.find((candidate) => candidate.self)?.heldBytes ?? 0;
  const lost = lostByLeaving(files, device.id);
  const leave = async (): Promise<void> => {
    leaving.value = true;
    try {
      removals.commit();
      await palm.leave();
      onClose();
    } catch (error) {
      trouble.value = explain(error);
      leaving.value = false;
    }
  };
  return (
    <Dialog title="Leave this pool?" onClose={onClose}>
      <p>
        This browser forgets the pool and deletes the {formatBytes(heldBytes)} of encrypted pieces that it
        holds for it. You can come back with a new invite; the pieces do not.
      </p>
      {lost.length === 0 ? (
        <p>The other devices hold enough to open every file without this one.</p>
      ) : (
        <div class="message warning">
          <p>
            <strong>
              {lost.length === 1
                ? 'One file would be lost for good'
                : `${lost.length} files would be lost for good`}
            </strong>
            , because the other devices do not hold enough of {lost.length === 1 ? 'it' : 'them'}:
          </p>
          <ul>
            {lost.slice(0, MAX_NAMED).map((file) => (
              <li key={file.fileId}>
                <bdi>{file.name === '' ? 'A private file' : shownName(file.name)}</bdi>
              </li>
            ))}
            {lost.length > MAX_NAMED ? <li>and {countOf(lost.length - MAX_NAMED, 'more', 'more')}</li> : null}
          </ul>
        </div>
      )}
      {trouble.value === '' ? null : (
        <p class="message error" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick={onClose} disabled={leaving.value}>
          Stay
        </button>
        <button type="button" class="button danger" onClick={() => void leave()} disabled={leaving.value}>
          {leaving.value ? 'Leaving…' : 'Leave and delete'}
        </button>
      </div>
    </Dialog>
  );
}
