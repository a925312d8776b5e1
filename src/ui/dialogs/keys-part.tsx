// The keys of the pool among its settings: since when they are in use, and a button that changes them. Only
// admins can, and pools without roles keep the keys that they have.

import { useSignal } from '@preact/signals';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { useWallMs } from '../state/wall-time.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function KeysPart() {
  const { palm, status, said } = usePage();
  const trouble = useSignal('');
  const isChanging = useSignal(false);
  const nowMs = useWallMs(60_000);
  const { pool, role } = status.value;
  if (pool?.keysSinceMs === undefined) return null;
  const change = async (): Promise<void> => {
    isChanging.value = true;
    trouble.value = '';
    try {
      await palm.rotate();
      said.value = words.keys.changed;
    } catch (error) {
      trouble.value = explain(error);
    } finally {
      isChanging.value = false;
    }
  };
  return (
    <section class="stack" aria-labelledby="pool-keys">
      <h3 id="pool-keys">{words.keys.heading}</h3>
      <p>{words.keys.since(pool.epoch ?? 0, pool.keysSinceMs, nowMs)}</p>
      <p class="hint">{words.keys.why}</p>
      <Trouble text={trouble.value} />
      {role === 'admin' && (
        <div class="dialog-actions">
          <button type="button" class="button" disabled={isChanging.value} onClick={() => void change()}>
            {isChanging.value ? words.keys.changing : words.keys.change}
          </button>
        </div>
      )}
    </section>
  );
}
