// Whether a device that asks to join comes in: the person types what its screen shows. What this screen shows
// is chosen there.

import { useSignal } from '@preact/signals';
import { DIGIT_COUNT } from '../../core/model/signs.ts';
import type { AskStatus } from '../../runtime/nearby-api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Digits, Signs } from '../parts/short-code-view.tsx';
import { StepHeading } from '../parts/step-heading.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

interface CompareDialogProps {
  readonly ask: AskStatus;
  readonly onClose: () => void;
}

export function CompareDialog({ ask, onClose }: CompareDialogProps) {
  const { palm } = usePage();
  const { id, step, signs, digits, untilMs, problem = '' } = ask;
  const texts = words.nearby.asks;
  const refuse = (): void => {
    palm.refuseAsk(id);
    onClose();
  };
  const isOver = step === 'joined' || step === 'failed';
  return (
    <Dialog title={texts.title(shownDeviceName(ask.name))} onClose={isOver ? refuse : onClose}>
      <StepHeading key={step} text={texts.steps[step]} />
      {step === 'asking' ? <p role="status">{texts.waiting}</p> : null}
      {step === 'comparing' ? <TypedDigits ask={ask} /> : null}
      {step === 'allowed' ? <p role="status">{texts.allowedLead}</p> : null}
      {step === 'joined' ? <p role="status">{texts.joinedLead}</p> : null}
      {digits === undefined ? null : <Digits digits={digits} />}
      {signs === undefined ? null : (
        <>
          {step === 'comparing' ? <p>{texts.signsLead}</p> : null}
          <Signs signs={signs} />
        </>
      )}
      <Trouble text={problem} />
      {untilMs === undefined ? null : (
        <p class="hint">{words.nearby.until(words.units.until(untilMs, Date.now()))}</p>
      )}
      <button type="button" class={isOver ? 'button primary wide' : 'button wide'} onClick={refuse}>
        {isOver ? texts.done : texts.refuse}
      </button>
    </Dialog>
  );
}

function TypedDigits({ ask }: { readonly ask: AskStatus }) {
  const { palm } = usePage();
  const typed = useSignal('');
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  const texts = words.nearby.asks;
  const allow = async (): Promise<void> => {
    isBusy.value = true;
    try {
      await palm.allowAsk(ask.id, typed.value);
    } catch (error) {
      trouble.value = explain(error);
      typed.value = '';
    }
    isBusy.value = false;
  };
  return (
    <form
      class="paste-code"
      onSubmit={(event) => {
        event.preventDefault();
        void allow();
      }}
    >
      <p class="hint">{texts.claim}</p>
      <p>{texts.digitsLead}</p>
      <Field label={texts.digitsField} value={typed} maxLength={DIGIT_COUNT + 1} digits />
      <Trouble text={trouble.value} />
      <button type="submit" class="button primary wide" disabled={isBusy.value || !isWhole(typed.value)}>
        {texts.letIn}
      </button>
    </form>
  );
}

/** People write them as they are shown, in two groups. */
function isWhole(typed: string): boolean {
  return typed.replaceAll(/\s/gu, '').length === DIGIT_COUNT;
}
