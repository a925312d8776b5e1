// Leaving the pool: says what will be lost with this device, and offers to hand over what it holds first.

import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import type { LeavingStatus } from '../../runtime/api.ts';
import { leavingStakes, type LeavingStakes } from '../text/leaving-stakes.ts';
import { Dialog } from '../parts/dialog.tsx';
import { explain, isCancelled } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';
import { usePage } from '../state/page.ts';

/** Names help to recognise what is at stake; the count covers the rest. */
const MAX_NAMED = 5;

export function LeaveDialog({ onClose }: { readonly onClose: () => void }) {
  const { palm, status, removals } = usePage();
  const leaving = useSignal<'not' | 'now' | 'handing-over'>('not');
  const trouble = useSignal('');
  const staying = useRef<AbortController | undefined>(undefined);
  const { devices, files, leaving: progress } = status.value;
  const heldBytes = devices.find((candidate) => candidate.self)?.heldBytes ?? 0;
  const hasOthers = devices.some(({ self, state }) => !self && state === 'reachable');
  const leave = async (handOver: boolean): Promise<void> => {
    const controller = new AbortController();
    staying.current = controller;
    leaving.value = handOver ? 'handing-over' : 'now';
    trouble.value = '';
    try {
      removals.commit();
      await palm.leave({ handOver, signal: controller.signal });
      onClose();
    } catch (error) {
      if (isCancelled(error)) onClose();
      trouble.value = explain(error);
      leaving.value = 'not';
    }
  };
  const stay = (): void => {
    if (leaving.value === 'handing-over') staying.current?.abort();
    else onClose();
  };
  return (
    <Dialog title={words.leave.title} onClose={onClose} insistent={leaving.value === 'handing-over'}>
      <p>{words.leave.lead(heldBytes)}</p>
      {progress === undefined ? (
        <Stakes stakes={leavingStakes(files, devices)} canHandOver={hasOthers} />
      ) : (
        <Progress progress={progress} />
      )}
      {trouble.value === '' ? null : (
        <p class="message error" role="alert">
          {trouble.value}
        </p>
      )}
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick={stay} disabled={leaving.value === 'now'}>
          {words.leave.stay}
        </button>
        {leaving.value === 'handing-over' ? null : (
          <button
            type="button"
            class="button danger"
            onClick={() => void leave(false)}
            disabled={leaving.value === 'now'}
          >
            {leaving.value === 'now' ? words.leave.leaving : words.leave.leave}
          </button>
        )}
        {hasOthers && leaving.value === 'not' ? (
          <button type="button" class="button primary" onClick={() => void leave(true)}>
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

function Progress({ progress }: { readonly progress: LeavingStatus }) {
  const { doneFragments, totalFragments, wouldLose } = progress;
  const percent = totalFragments === 0 ? 100 : Math.floor((100 * doneFragments) / totalFragments);
  return (
    <>
      <p role="status">{words.leave.handedOverPercent(percent - (percent % 10))}</p>
      <progress aria-label={words.leave.handingOverLabel} max={100} value={percent} />
      <p class="hint figures">{words.leave.handingOver(doneFragments, totalFragments)}</p>
      <p>{words.leave.wouldLose(wouldLose.length)}</p>
    </>
  );
}
