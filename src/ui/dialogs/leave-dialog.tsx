// Leaving the pool: says what will be lost with this device, and offers to hand over what it holds first.

import { useEffect } from 'preact/hooks';
import { leavingStakes, type LeavingStakes } from '../text/leaving-stakes.ts';
import { Dialog } from '../parts/dialog.tsx';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';
import { HandingOverProgress } from '../parts/handing-over-progress.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';

/** Names help to recognise what is at stake; the count covers the rest. */
const MAX_NAMED = 5;

export function LeaveDialog({ onClose }: { readonly onClose: () => void }) {
  const { status, leaving } = usePage();
  useEffect(() => {
    leaving.isDialogOpen.value = true;
    leaving.trouble.value = '';
    return () => (leaving.isDialogOpen.value = false);
  }, [leaving]);
  const { devices, files, leaving: progress } = status.value;
  const phase = leaving.phase.value;
  const heldBytes = devices.find((candidate) => candidate.self)?.heldBytes ?? 0;
  const hasOthers = devices.some(({ self, state }) => !self && state === 'reachable');
  const stay = (): void => {
    leaving.stay();
    onClose();
  };
  return (
    <Dialog title={words.leave.title} onClose={onClose}>
      <p>{words.leave.lead(heldBytes)}</p>
      {progress === undefined ? (
        <Stakes stakes={leavingStakes(files, devices)} canHandOver={hasOthers} />
      ) : (
        <HandingOverProgress progress={progress} />
      )}
      <Trouble text={leaving.trouble.value} />
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick={stay} disabled={phase === 'now'}>
          {words.leave.stay}
        </button>
        {phase === 'handing-over' ? (
          <button type="button" class="button primary" onClick={onClose}>
            {words.leave.goOn}
          </button>
        ) : (
          <button
            type="button"
            class="button danger"
            onClick={() => void leaving.leave(false)}
            disabled={phase === 'now'}
          >
            {phase === 'now' ? words.leave.leaving : words.leave.leave}
          </button>
        )}
        {hasOthers && phase === 'not' ? (
          <button type="button" class="button primary" onClick={() => void leaving.leave(true)}>
            {words.leave.handOver}
          </button>
        ) : null}
      </div>
    </Dialog>
  );
}

function Stakes({ stakes, canHandOver }: { readonly stakes: LeavingStakes; readonly canHandOver: boolean }) {
  const { lost, exposedCount } = stakes;
  return (
    <>
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
      {exposedCount === 0 ? null : <p>{words.leave.exposed(exposedCount)}</p>}
      {canHandOver ? <p class="hint">{words.leave.whyHandOver}</p> : null}
    </>
  );
}
