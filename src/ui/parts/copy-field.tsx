// A link to pass on: a read-only field and a button that copies it. Without a clipboard the text is selected
// instead.

import { useSignal } from '@preact/signals';
import { useId, useRef } from 'preact/hooks';
import { copyOrSelect } from './copying.ts';
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
    feedback.value = await copyOrSelect(text, () => {
      input.current?.focus();
      input.current?.select();
    });
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
