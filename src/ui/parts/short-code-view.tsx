// The signs and digits that two people compare. Pictures have their names beneath: fonts differ, and people
// call the names across a room.

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
      <span class="sign-picture" aria-hidden="true">
        {sign}
      </span>
      <span class="sign-name">{signName(sign)}</span>
    </>
  );
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
