// Leaving the pool: says what will be lost with this device, before it leaves.

import { useSignal } from '@preact/signals';
import { lostByLeaving } from './lost-by-leaving.ts';
import { Dialog } from '../parts/dialog.tsx';
import { explain } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';
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
    <Dialog title={words.leave.title} onClose={onClose}>
      <p>{words.leave.lead(heldBytes)}</p>
      {lost.length === 0 ? (
        <p>{words.leave.nothingLost}</p>
      ) : (
        <div class="message warning">
          <p>
            {words.leave.lost(lost.length, (text) => (
              <strong>{text}</strong>
            ))}
          </p>
          <ul>
            {lost.slice(0, MAX_NAMED).map((file) => (
              <li key={file.fileId}>
                <bdi>{file.name === '' ? words.leave.aPrivateFile : shownName(file.name)}</bdi>
              </li>
            ))}
            {lost.length > MAX_NAMED ? <li>{words.leave.moreLost(lost.length - MAX_NAMED)}</li> : null}
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
          {words.leave.stay}
        </button>
        <button type="button" class="button danger" onClick={() => void leave()} disabled={leaving.value}>
          {leaving.value ? words.leave.leaving : words.leave.leave}
        </button>
      </div>
    </Dialog>
  );
}
