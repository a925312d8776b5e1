// Whether this device shows its pool to devices nearby.

import { useSignal } from '@preact/signals';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function ListingPart() {
  const { palm } = usePage();
  const relay = useStatus(({ listing }) => listing?.relay);
  const trouble = useSignal('');
  const isListed = relay !== undefined;
  const texts = words.nearby.listing;
  const set = (listed: boolean): void => {
    palm.setListed(listed).then(
      () => (trouble.value = ''),
      (error: unknown) => (trouble.value = explain(error)),
    );
  };
  return (
    <section class="listing-part" aria-labelledby="listing-heading">
      <h3 id="listing-heading">{texts.heading}</h3>
      <p class="hint">{texts.hint}</p>
      <p role="status">{relay === undefined ? '' : texts[relay]}</p>
      <Trouble text={trouble.value} />
      <button type="button" class="button wide" onClick={() => set(!isListed)}>
        {isListed ? texts.off : texts.on}
      </button>
    </section>
  );
}
