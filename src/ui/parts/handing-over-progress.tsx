// How far this device is with handing over what it holds, and what would be lost if it left now.

import type { LeavingStatus } from '../../runtime/api.ts';
import { words } from '../text/words.ts';

export function HandingOverProgress({ progress }: { readonly progress: LeavingStatus }) {
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
