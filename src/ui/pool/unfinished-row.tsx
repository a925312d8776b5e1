// An interrupted store: how far it got, how to continue it, and how to discard it.

import { useId } from 'preact/hooks';
import type { UnfinishedStatus } from '../../runtime/api.ts';
import { CloseIcon } from '../parts/icons.tsx';
import { usePage } from '../state/page.ts';
import { shownName } from '../text/file-name.ts';
import { formatBytes } from '../text/units.ts';

const NEED_WORDS: Record<UnfinishedStatus['needs'], string> = {
  nothing: 'It goes on where it stopped.',
  permission: 'Your browser will ask whether Palm may read the file again.',
  file: 'It goes on where it stopped once you choose the file again.',
};

export function UnfinishedRow({ unfinished }: { readonly unfinished: UnfinishedStatus }) {
  const { resumptions } = usePage();
  const nameId = useId();
  const { id, size, sealedBytes, needs } = unfinished;
  const name = shownName(unfinished.name);
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
        <span class="meta figures">
          Interrupted · {formatBytes(sealedBytes)} of {formatBytes(size)} encrypted
        </span>
        {reason === undefined ? (
          <span class="meta">{NEED_WORDS[needs]}</span>
        ) : (
          <span class="reason" role="alert">
            {reason}
          </span>
        )}
      </div>
      {needs === 'file' ? (
        <label class="button file-button">
          <span>Choose the file again</span>
          <input type="file" onChange={(event) => take(event.currentTarget)} />
        </label>
      ) : (
        <button type="button" class="button" onClick={() => void resumptions.continue(unfinished)}>
          Continue
        </button>
      )}
      <button
        type="button"
        class="button icon-only quiet"
        aria-label="Discard"
        title={`Discard the encrypted part of ${name}`}
        onClick={() => void resumptions.discard(unfinished)}
      >
        <CloseIcon />
      </button>
    </li>
  );
}
