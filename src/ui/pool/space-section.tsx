// What this device stored and gives, beside what the pool's policy says. Hidden where it says nothing.

import { useStatus } from '../state/page.ts';
import { words } from '../text/words.ts';

export function SpaceSection() {
  const quota = useStatus((status) => status.quota);
  if (quota === undefined) return null;
  const { storeBytes, storedBytes, giveBytes, givenBytes } = quota;
  return (
    <section class="space">
      <h2>{words.quotas.heading}</h2>
      {storeBytes === undefined ? null : (
        <SpaceLine sentence={words.quotas.stored(storedBytes, storeBytes)} part={storedBytes / storeBytes} />
      )}
      {giveBytes === undefined ? null : (
        <SpaceLine sentence={words.quotas.gives(givenBytes, giveBytes)} part={givenBytes / giveBytes} />
      )}
    </section>
  );
}

function SpaceLine({ sentence, part }: { readonly sentence: string; readonly part: number }) {
  const percent = Math.min(100, Math.floor(100 * part));
  return (
    <div class="space-line">
      <p class="figures">{sentence}</p>
      <div
        class="space-bar"
        role="meter"
        aria-label={sentence}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <span style={{ inlineSize: `${percent}%` }} />
      </div>
    </div>
  );
}
