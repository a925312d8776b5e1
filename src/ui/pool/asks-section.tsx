// While this device shows its pool nearby: that it does, and who asks to join.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { AskStatus } from '../../runtime/nearby-api.ts';
import { CompareDialog } from '../dialogs/compare-dialog.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function AsksSection() {
  const { palm, alerts } = usePage();
  const listing = useStatus((status) => status.listing);
  const compared = useSignal('');
  const asks = listing?.asks ?? [];
  useAnnouncing(asks);
  if (listing === undefined) return null;
  const open = asks.find(({ id }) => id === compared.value);
  const texts = words.nearby.asks;
  const compare = (ask: AskStatus): void => {
    compared.value = ask.id;
    if (ask.step === 'asking')
      palm.compareAsk(ask.id).catch((error: unknown) => alerts.raise(explain(error)));
  };
  return (
    <section class="message question asks" aria-labelledby="asks-heading">
      <h2 id="asks-heading">{texts.heading}</h2>
      <p>{words.nearby.listing[listing.relay]}</p>
      {asks.length === 0 ? <p class="hint">{texts.none}</p> : null}
      <ul class="nearby" role="list" aria-labelledby="asks-heading">
        {asks.map((ask) => (
          <AskRow
            key={ask.id}
            ask={ask}
            onCompare={() => compare(ask)}
            onRefuse={() => palm.refuseAsk(ask.id)}
          />
        ))}
      </ul>
      <button type="button" class="button quiet" onClick={() => void palm.setListed(false)}>
        {words.nearby.listing.off}
      </button>
      {open === undefined ? null : <CompareDialog ask={open} onClose={() => (compared.value = '')} />}
    </section>
  );
}

interface AskRowProps {
  readonly ask: AskStatus;
  readonly onCompare: () => void;
  readonly onRefuse: () => void;
}

function AskRow({ ask, onCompare, onRefuse }: AskRowProps) {
  const name = shownDeviceName(ask.name);
  const texts = words.nearby.asks;
  if (ask.step === 'joined' || ask.step === 'failed') {
    // Nothing is left to compare or to refuse.
    return (
      <li>
        <bdi class="nearby-name">{name}</bdi>
        <span class="hint">{ask.problem ?? texts.steps[ask.step]}</span>
        <button type="button" class="button quiet" aria-label={texts.clearOf(name)} onClick={onRefuse}>
          {texts.clear}
        </button>
      </li>
    );
  }
  return (
    <li>
      <bdi class="nearby-name">{name}</bdi>
      <button type="button" class="button" aria-label={texts.compareWith(name)} onClick={onCompare}>
        {texts.compare}
      </button>
      <button type="button" class="button quiet" aria-label={texts.refuseOf(name)} onClick={onRefuse}>
        {texts.refuse}
      </button>
    </li>
  );
}

/** Says who asks, once for each: the person may be anywhere on the screen. */
function useAnnouncing(asks: readonly AskStatus[]): void {
  const { said } = usePage();
  const told = useRef(new Set<string>());
  const newest = asks.find(({ id, step }) => step === 'asking' && !told.current.has(id));
  useEffect(() => {
    told.current = new Set(asks.map(({ id }) => id));
    if (newest !== undefined) said.value = words.nearby.asks.wants(shownDeviceName(newest.name));
  }, [asks, newest, said]);
}
