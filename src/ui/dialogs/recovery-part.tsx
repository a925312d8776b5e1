// Recovery codes among the pool's settings: whether there is one, making one, and using one. A code is shown
// once, in a dialog that only its own button closes.

import { useSignal } from '@preact/signals';
import { useWarningBeforeClosing } from '../parts/closing-warning.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { useDialogWork } from '../parts/dialog-work.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

type Shown =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'use' }
  | { readonly kind: 'code'; readonly code: string; readonly isNext: boolean };

export function RecoveryPart() {
  const { palm, status } = usePage();
  const shown = useSignal<Shown>({ kind: 'nothing' });
  const trouble = useSignal('');
  const isMaking = useSignal(false);
  const recovery = status.value.pool?.recovery;
  if (recovery === undefined && shown.value.kind === 'nothing') return null;
  const make = async (): Promise<void> => {
    isMaking.value = true;
    trouble.value = '';
    try {
      const { code } = await palm.makeRecoveryCode();
      shown.value = { kind: 'code', code, isNext: false };
    } catch (error) {
      trouble.value = explain(error);
    } finally {
      isMaking.value = false;
    }
  };
  const close = (): void => {
    shown.value = { kind: 'nothing' };
  };
  const { hasCode = false, mayMake = false } = recovery ?? {};
  return (
    <section class="stack" aria-labelledby="recovery-heading">
      <h3 id="recovery-heading">{words.recovery.heading}</h3>
      <p>{hasCode ? words.recovery.some : words.recovery.none}</p>
      <p class="hint">{words.recovery.why}</p>
      {hasCode && mayMake ? <p class="hint">{words.recovery.more}</p> : null}
      <Trouble text={trouble.value} />
      <div class="dialog-actions">
        {mayMake ? (
          <button type="button" class="button" disabled={isMaking.value} onClick={() => void make()}>
            {isMaking.value ? words.recovery.making : words.recovery.make}
          </button>
        ) : null}
        {hasCode ? (
          <button type="button" class="button" onClick={() => (shown.value = { kind: 'use' })}>
            {words.recovery.use}
          </button>
        ) : null}
      </div>
      {shown.value.kind === 'use' ? (
        <UseDialog onClose={close} onDone={(code) => (shown.value = { kind: 'code', code, isNext: true })} />
      ) : null}
      {shown.value.kind === 'code' ? (
        <CodeDialog code={shown.value.code} isNext={shown.value.isNext} onClose={close} />
      ) : null}
    </section>
  );
}

interface CodeDialogProps {
  readonly code: string;
  /** It takes the place of one that was used. */
  readonly isNext: boolean;
  readonly onClose: () => void;
}

function CodeDialog({ code, isNext, onClose }: CodeDialogProps) {
  const { status } = usePage();
  useWarningBeforeClosing(true);
  return (
    <Dialog title={words.recovery.title} onClose={onClose} insistent>
      {isNext ? <p>{words.recovery.replaced}</p> : null}
      <p>{words.recovery.once}</p>
      <p class="message warning">{words.recovery.danger}</p>
      <div class="recovery-paper">
        <p class="only-printed">{words.recovery.printed(status.value.pool?.name ?? '')}</p>
        <p class="recovery-code">{code}</p>
        <p class="only-printed">
          {words.recovery.howTo} {words.recovery.danger}
        </p>
      </div>
      <CopyField label={words.recovery.label} text={code} />
      <div class="dialog-actions">
        <button type="button" class="button" onClick={() => window.print()}>
          {words.recovery.print}
        </button>
        <button type="button" class="button primary" onClick={onClose}>
          {words.recovery.kept}
        </button>
      </div>
    </Dialog>
  );
}

interface UseDialogProps {
  readonly onClose: () => void;
  /** With the code that takes the place of the one that was used. */
  readonly onDone: (code: string) => void;
}

function UseDialog({ onClose, onDone }: UseDialogProps) {
  const { palm, status } = usePage();
  const code = useSignal('');
  const lost = useSignal<readonly string[]>([]);
  const { isBusy, trouble, run } = useDialogWork();
  const admins = status.value.devices.filter(({ self, role }) => !self && role === 'admin');
  // The old code may be used up already: the next one must reach its person.
  useWarningBeforeClosing(isBusy.value);
  const recover = (): Promise<void> =>
    run(async () => {
      const next = await palm.recover(code.value, { shutOut: lost.value });
      onDone(next.code);
    });
  return (
    <Dialog title={words.recovery.useTitle} onClose={onClose} insistent={isBusy.value}>
      <p>{words.recovery.useLead}</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void recover();
        }}
      >
        <div class="field">
          <label for="recovery-code">{words.recovery.field}</label>
          <textarea
            id="recovery-code"
            class="recovery-input"
            rows={3}
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            autofocus
            value={code.value}
            onInput={({ currentTarget }) => (code.value = currentTarget.value)}
          />
        </div>
        {admins.length === 0 ? null : (
          <fieldset class="choices" aria-describedby="why-lost">
            <legend>{words.recovery.lost}</legend>
            {admins.map(({ id, name }) => (
              <label key={id} class="choice">
                <input
                  type="checkbox"
                  checked={lost.value.includes(id)}
                  onChange={({ currentTarget }) => {
                    const others = lost.value.filter((each) => each !== id);
                    lost.value = currentTarget.checked ? [...others, id] : others;
                  }}
                />
                <bdi>{shownDeviceName(name)}</bdi>
              </label>
            ))}
            <p id="why-lost" class="hint">
              {words.recovery.whyLost}
            </p>
          </fieldset>
        )}
        <Trouble text={trouble.value} />
        <div class="dialog-actions">
          <button type="submit" class="button primary" disabled={isBusy.value || code.value.trim() === ''}>
            {isBusy.value ? words.recovery.recovering : words.recovery.recover}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
