// An interrupted store: how far it got, how to continue it, and how to discard it.

import { useId } from 'preact/hooks';
import type { UnfinishedStatus } from '../../runtime/api.ts';
import { CloseIcon } from '../parts/icons.tsx';
import { usePage } from '../state/page.ts';
import { heardName, shownName, shownPath } from '../text/file-name.ts';
import { words } from '../text/words.ts';

export function UnfinishedRow({ unfinished }: { readonly unfinished: UnfinishedStatus }) {
  const { resumptions } = usePage();
  const nameId = useId();
  const { id, size, sealedBytes, needs } = unfinished;
  const name = shownName(unfinished.name);
  const heard = heardName(name, shownPath(unfinished.path));
  const reason = resumptions.reasons.value.get(id);
  const take = (input: HTMLInputElement): void => {
    const file = input.files?.[0];
    // The same file can be chosen again.
    input.value = '';
    if (file !== undefined) void resumptions.continue(unfinished, file);
  };
  return (
    <li class="transfer interrupted" aria-labelledby={nameId}>
      <div class="transfer-words">
        <bdi class="file-name" id={nameId}>
          {name}
        </bdi>
        <progress aria-label={name} max={Math.max(1, size)} value={sealedBytes} />
        <span class="meta figures">{words.unfinished.progress(sealedBytes, size)}</span>
        {reason === undefined ? (
          <span class="meta">{words.unfinished.needs[needs]}</span>
        ) : (
          <span class="reason" role="alert">
            {reason}
          </span>
        )}
      </div>
      {needs === 'file' ? (
        <label class="button file-button">
          <span>{words.unfinished.choose}</span>
          <input
            type="file"
            aria-label={words.unfinished.chooseOf(heard)}
            onChange={(event) => take(event.currentTarget)}
          />
        </label>
      ) : (
        <button
          type="button"
          class="button"
          aria-label={words.transfers.continueOf(heard)}
          onClick={() => void resumptions.continue(unfinished)}
        >
          {words.transfers.continue}
        </button>
      )}
      <button
        type="button"
        class="button icon-only quiet"
        aria-label={words.unfinished.discardOf(heard)}
        title={words.unfinished.discardOf(name)}
        onClick={() => void resumptions.discard(unfinished)}
      >
        <CloseIcon />
      </button>
    </li>
  );
}
