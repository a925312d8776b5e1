// This device hands over what it holds before it leaves, and the dialog where that began is closed.

import { HandingOverProgress } from '../parts/handing-over-progress.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { words } from '../text/words.ts';

export function HandingOverSection() {
  const { leaving } = usePage();
  const progress = useStatus((status) => status.leaving);
  if (progress === undefined || leaving.isDialogOpen.value) return null;
  return (
    <section class="transfers" aria-labelledby="handing-over-heading">
      <h2 id="handing-over-heading">{words.leave.beforeLeaving}</h2>
      <HandingOverProgress progress={progress} />
      {leaving.phase.value === 'handing-over' ? (
        <div>
          <button type="button" class="button" onClick={() => leaving.stay()}>
            {words.leave.stay}
          </button>
        </div>
      ) : null}
    </section>
  );
}
