// A link to pass on: a read-only field and a button that copies it. Without a clipboard the text is selected
// instead.

import { useSignal } from '@preact/signals';
import { useId, useRef } from 'preact/hooks';
import { CopyIcon } from './icons.tsx';
import { words } from '../text/words.ts';

interface CopyFieldProps {
  readonly label: string;
  readonly text: string;
}

export function CopyField({ label, text }: CopyFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const feedback = useSignal('');
  const copy = async (): Promise<void> => {
    const isCopied = await copyText(text);
    feedback.value = isCopied ? words.messages.copied : words.messages.selected;
    if (!isCopied) {
      input.current?.focus();
      input.current?.select();
    }
  };
  return (
    <div class="field">
      <label for={id} id={`${id}-label`}>
        {label}
      </label>
      <div class="copy-row">
        <input
          ref={input}
          id={id}
          type="text"
          readOnly
          // Browsers save the contents of fields in their session files; this is a secret.
          autocomplete="off"
          value={text}
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="button" aria-describedby={`${id}-label`} onClick={() => void copy()}>
          <CopyIcon />
          {words.common.copy}
        </button>
      </div>
      <p class="hint" role="status">
        {feedback.value}
      </p>
    </div>
  );
}

/** Browsers answer within moments, unless they ask the person. */
const ANSWER_WITHIN_MS = 1_000;

/** Whether the clipboard took it: it may be absent, refuse without permission, or ask and get no answer. */
async function copyText(text: string): Promise<boolean> {
  const clipboard: Clipboard | undefined = navigator.clipboard;
  if (clipboard === undefined) return false;
  const unanswered = new Promise<false>((resolve) => setTimeout(() => resolve(false), ANSWER_WITHIN_MS));
  try {
    return await Promise.race([clipboard.writeText(text).then(() => true), unanswered]);
  } catch {
    // Refused: the person copies by hand, and the field says so.
    return false;
  }
}
