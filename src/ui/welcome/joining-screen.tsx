// A join that waits until a member of the pool lets this device in.

import { useSignal } from '@preact/signals';
import type { JoiningStatus } from '../../runtime/invite-api.ts';
import { PairDialog } from '../dialogs/pair-dialog.tsx';
import { Brand } from '../parts/brand.tsx';
import { Notices } from '../parts/messages.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function JoiningScreen({ joining }: { readonly joining: JoiningStatus }) {
  const { palm, alerts, isDiagnosing } = usePage();
  const pairing = useStatus((status) => status.pairing);
  const isPairing = useSignal(false);
  const giveUp = (): void => {
    palm.leave().catch((error: unknown) => alerts.raise(explain(error)));
  };
  return (
    <main class="join">
      <Notices />
      <section class="card">
        <Brand />
        <h1 tabIndex={-1}>{words.joining.heading}</h1>
        <p class="lead" role="status">
          {pairing?.step === 'linking' ? words.pair.joining : sentence(joining)}
        </p>
        <Trouble text={isPairing.value ? '' : (pairing?.problem ?? '')} />
        <p class="hint">{words.joining.until(words.units.until(joining.expiresMs, Date.now()))}</p>
        <button type="button" class="button wide" onClick={giveUp}>
          {words.joining.giveUp}
        </button>
        <button type="button" class="button quiet wide" onClick={() => (isPairing.value = true)}>
          {words.pair.open}
        </button>
        <button type="button" class="button quiet wide" onClick={() => (isDiagnosing.value = true)}>
          {words.doctor.openHere}
        </button>
      </section>
      {isPairing.value ? <PairDialog begins="scan-first" onClose={() => (isPairing.value = false)} /> : null}
    </main>
  );
}

function sentence({ state, relay }: JoiningStatus): string {
  if (state === 'asking') return words.joining.asking;
  switch (relay) {
    case 'connecting':
      return words.joining.connecting;
    case 'lost':
      return words.joining.lost;
    case 'connected':
      return words.joining.waiting;
  }
}
