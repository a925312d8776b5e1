// What this device restores because other devices are gone, how much of the network that takes, or why it
// waits. Hidden while there is nothing.

import type { RepairStatus } from '../../runtime/api.ts';
import { useStatus } from '../state/page.ts';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';

export function RepairsSection() {
  const repairs = useStatus((status) => status.repairs);
  const pause = useStatus((status) => status.repairPause);
  const [first] = repairs;
  if (first === undefined && pause === undefined) return null;
  return (
    <section class="transfers">
      <h2 id="repairs-heading">{words.repairs.heading}</h2>
      {first !== undefined && (
        <>
          <ul role="list" aria-labelledby="repairs-heading">
            {repairs.map((repair) => (
              <RepairRow key={repair.fileId} repair={repair} />
            ))}
          </ul>
          <p class="hint">{words.repairs.share(first.share)}</p>
        </>
      )}
      {pause !== undefined && <p class="hint">{words.repairs.paused(pause)}</p>}
    </section>
  );
}

function RepairRow({ repair }: { readonly repair: RepairStatus }) {
  const { doneBytes, totalBytes, fragments } = repair;
  const name = repair.name === '' ? words.repairs.privateFile : shownName(repair.name);
  const percent = totalBytes === 0 ? undefined : Math.min(100, Math.floor((100 * doneBytes) / totalBytes));
  return (
    <li class="transfer" aria-label={name}>
      <div class="transfer-words">
        <bdi class="repair-words figures">{words.repairs.progress(fragments, name, percent)}</bdi>
        {percent === undefined ? (
          <progress aria-label={name} />
        ) : (
          <progress aria-label={name} max={100} value={percent} />
        )}
      </div>
    </li>
  );
}
