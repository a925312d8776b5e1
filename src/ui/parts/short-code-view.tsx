// The signs and digits that two people compare. Pictures have their names beneath: fonts differ, some systems
// have none of them, and people call the names across a room.

import { SIGNS } from '../../core/model/signs.ts';
import { words } from '../text/words.ts';

export function signName(sign: string): string {
  return words.nearby.signName(SIGNS.indexOf(sign));
}

export function Signs({ signs }: { readonly signs: readonly string[] }) {
  return (
    <ol class="signs" role="list" aria-label={words.nearby.signsLabel}>
      {signs.map((sign, index) => (
        // A sign may come twice.
        <li key={index} class="sign">
          <Sign sign={sign} />
        </li>
      ))}
    </ol>
  );
}

export function Sign({ sign }: { readonly sign: string }) {
  return (
    <>
      {hasPictures() ? (
        <span class="sign-picture" aria-hidden="true">
          {sign}
        </span>
      ) : null}
      <span class="sign-name">{signName(sign)}</span>
    </>
  );
}

/** Whether this system draws emoji: they are in colours, unlike the box that stands for a missing sign. */
function hasPictures(): boolean {
  drawsEmoji ??= hasColours(SIGNS[0] ?? '');
  return drawsEmoji;
}

let drawsEmoji: boolean | undefined;

const PROBE_PIXELS = 24;

function hasColours(sign: string): boolean {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [PROBE_PIXELS, PROBE_PIXELS];
  const context = canvas.getContext('2d');
  if (context === null) return true;
  context.textBaseline = 'top';
  context.font = `${PROBE_PIXELS - 4}px 'Apple Color Emoji', 'Segoe UI Emoji', 'Noto Color Emoji', sans-serif`;
  context.fillText(sign, 0, 0);
  const { data } = context.getImageData(0, 0, PROBE_PIXELS, PROBE_PIXELS);
  return data.some((value, at) => at % 4 === 0 && value !== data[at + 1]);
}

/** Read one by one: nobody types a number of hundreds of thousands. */
export function Digits({ digits }: { readonly digits: string }) {
  return (
    <ol class="digits" role="list" aria-label={words.nearby.digitsLabel}>
      {Array.from(digits, (digit, index) => (
        <li key={index}>{digit}</li>
      ))}
    </ol>
  );
}
