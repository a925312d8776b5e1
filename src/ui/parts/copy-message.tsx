// The button beside a message about a bug, which is to be copied into a report.

import { useSignal } from '@preact/signals';
import { CopyIcon } from './icons.tsx';
import { copyOrSelect } from './copying.ts';
import { words } from '../text/words.ts';

interface CopyMessageProps {
  readonly text: string;
  /** The element that shows it. */
  readonly textId: string;
}

export function CopyMessage({ text, textId }: CopyMessageProps) {
  const feedback = useSignal('');
  const select = (): void => {
    const shown = document.getElementById(textId);
    if (shown !== null) getSelection()?.selectAllChildren(shown);
  };
  const copy = async (): Promise<void> => {
    // Said again where it was said before.
    feedback.value = '';
    feedback.value = await copyOrSelect(text, select);
  };
  return (
    <div class="copy-message">
      <button type="button" class="button" aria-describedby={textId} onClick={() => void copy()}>
        <CopyIcon />
        {words.common.copyMessage}
      </button>
      <span class="hint" role="status">
        {feedback.value}
      </span>
    </div>
  );
}
