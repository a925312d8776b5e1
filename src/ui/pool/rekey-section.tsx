// Files that still open under the keys of a device that was shut out: the offer to store them anew, and how
// far that is. Hidden where there are none that this device may re-key.

import { useSignal } from '@preact/signals';
import type { RekeyRun } from '../../runtime/rekey-api.ts';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function RekeySection() {
  const rekey = useStatus((status) => status.rekey);
  const { palm } = usePage();
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  if (rekey === undefined || (rekey.files === 0 && rekey.run === undefined)) return null;
  const call = async (work: Promise<void>): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      await work;
    } catch (error) {
      trouble.value = explain(error);
    } finally {
      isBusy.value = false;
    }
  };
  const { run } = rekey;
  return (
    <section class="transfers" aria-labelledby="rekey-heading">
      <h2 id="rekey-heading">{words.rekey.heading}</h2>
      {run === undefined ? (
        <div class="message warning question">
          <p>{words.rekey.offer(rekey)}</p>
          <p class="hint">{words.rekey.what}</p>
          <Trouble text={trouble.value} />
          <button
            type="button"
            class="button"
            disabled={isBusy.value}
            onClick={() => void call(palm.rekey())}
          >
            {isBusy.value ? words.rekey.starting : words.rekey.start}
          </button>
        </div>
      ) : (
        <>
          <RekeyProgress run={run} />
          <Trouble text={trouble.value} />
          <div>
            <button
              type="button"
              class="button"
              disabled={isBusy.value}
              onClick={() => void call(palm.cancelRekey())}
            >
              {isBusy.value ? words.rekey.stopping : words.rekey.stop}
            </button>
          </div>
        </>
      )}
    </section>
  );
}

function RekeyProgress({ run }: { readonly run: RekeyRun }) {
  const { doneFiles, leftFiles, doneBytes, totalBytes } = run;
  const ofCurrent = totalBytes === 0 ? 0 : doneBytes / totalBytes;
  const value = Math.min(
    100,
    Math.floor((100 * (doneFiles + ofCurrent)) / Math.max(1, doneFiles + leftFiles)),
  );
  return (
    <>
      <p class="figures" role="status">
        {words.rekey.done(run)}
      </p>
      <progress aria-label={words.rekey.heading} max={100} value={value} />
      <p class="hint">{words.rekey.state(run)}</p>
      {run.problem === undefined ? null : <p class="hint">{run.problem}</p>}
    </>
  );
}
