// Asks for the code that another device shows: whose charter it is cannot be told from a name.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';
import { useDialogWork } from '../parts/dialog-work.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';

export interface CharterCodeTexts {
  readonly title: string;
  /** That it cannot be taken back. */
  readonly sure: string;
  readonly code: string;
  readonly notNow: string;
  readonly go: string;
  /** While it goes on. */
  readonly going: string;
}

interface CharterCodeDialogProps {
  readonly texts: CharterCodeTexts;
  /** What will happen. */
  readonly children: ComponentChildren;
  /** What the person confirms by the code as it was typed; then the dialog closes. */
  readonly confirm: (code: string) => Promise<unknown>;
  readonly onClose: () => void;
}

export function CharterCodeDialog({ texts, children, confirm, onClose }: CharterCodeDialogProps) {
  const code = useSignal('');
  const codeId = useId();
  const { isBusy, trouble, run } = useDialogWork();
  const goOn = (): Promise<void> =>
    run(async () => {
      await confirm(code.value);
      onClose();
    });
  return (
    <Dialog title={texts.title} onClose={onClose} insistent={isBusy.value}>
      {children}
      <p class="message warning">{texts.sure}</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void goOn();
        }}
      >
        <div class="field">
          <label for={codeId}>{texts.code}</label>
          <input
            id={codeId}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            autofocus
            value={code.value}
            onInput={({ currentTarget }) => (code.value = currentTarget.value)}
          />
        </div>
        <Trouble text={trouble.value} />
        <div class="dialog-actions">
          <button type="button" class="button" disabled={isBusy.value} onClick={onClose}>
            {texts.notNow}
          </button>
          <button type="submit" class="button primary" disabled={isBusy.value || code.value.trim() === ''}>
            {isBusy.value ? texts.going : texts.go}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
