// This device's ask to join a nearby pool, one step at a time: what to do here, and what at the other device.

import { useSignal } from '@preact/signals';
import { SIGN_COUNT } from '../../core/model/signs.ts';
import { visibleName } from '../../core/model/visible-name.ts';
import type { AskingStatus } from '../../runtime/nearby-api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Digits, Sign, signName, Signs } from '../parts/short-code-view.tsx';
import { StepHeading } from '../parts/step-heading.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

interface AskDialogProps {
  readonly asking: AskingStatus;
  /** Absent while that pool is not listed. */
  readonly onAgain: (() => void) | undefined;
  readonly onClose: () => void;
}

export function AskDialog({ asking, onAgain, onClose }: AskDialogProps) {
  const { step, pool, untilMs, problem = '' } = asking;
  const texts = words.nearby.asking;
  return (
    <Dialog title={texts.title(visibleName(pool))} onClose={onClose}>
      <StepHeading key={step} text={texts[step]} />
      {step === 'asking' ? <p>{texts.askingLead}</p> : null}
      {step === 'comparing' ? <Comparing asking={asking} /> : null}
      {step === 'joining' ? <p role="status">{texts.joiningLead}</p> : null}
      <Trouble text={problem} />
      {untilMs === undefined ? null : (
        <p class="hint">{words.nearby.until(words.units.until(untilMs, Date.now()))}</p>
      )}
      {step === 'failed' && onAgain !== undefined ? (
        <button type="button" class="button primary wide" onClick={onAgain}>
          {texts.again}
        </button>
      ) : null}
      <button type="button" class="button quiet wide" onClick={onClose}>
        {step === 'failed' ? words.common.close : texts.cancel}
      </button>
    </Dialog>
  );
}

function Comparing({ asking }: { readonly asking: AskingStatus }) {
  const texts = words.nearby.asking;
  const { digits = '', choices, signs, allowed } = asking;
  return (
    <>
      <p>{allowed === true ? texts.digitsDone : texts.digitsLead}</p>
      <Digits digits={digits} />
      {signs === undefined ? (
        <SignChoice choices={choices ?? []} lead={allowed === true ? texts.allowed : texts.signsLead} />
      ) : (
        <>
          <p role="status">{texts.confirmed}</p>
          <Signs signs={signs} />
        </>
      )}
    </>
  );
}

function SignChoice({ choices, lead }: { readonly choices: readonly string[]; readonly lead: string }) {
  const { palm } = usePage();
  const texts = words.nearby.asking;
  const chosen = useSignal<readonly string[]>([]);
  const trouble = useSignal('');
  const isFull = chosen.value.length === SIGN_COUNT;
  const confirm = (): void => {
    palm.confirmAsk(chosen.value).catch((error: unknown) => {
      trouble.value = explain(error);
      chosen.value = [];
    });
  };
  return (
    <>
      <p>{lead}</p>
      <div class="sign-choices" role="group" aria-label={texts.choices}>
        {choices.map((sign) => (
          <button
            key={sign}
            type="button"
            class="button sign"
            onClick={() => {
              if (!isFull) chosen.value = [...chosen.value, sign];
            }}
          >
            <Sign sign={sign} />
          </button>
        ))}
      </div>
      <p class="chosen-signs" role="status">
        {texts.chosen(chosen.value.map(signName))}
      </p>
      <Trouble text={trouble.value} />
      <div class="dialog-actions">
        <button type="button" class="button primary" disabled={!isFull} onClick={confirm}>
          {texts.confirm}
        </button>
        <button
          type="button"
          class="button"
          disabled={chosen.value.length === 0}
          onClick={() => (chosen.value = [])}
        >
          {texts.clear}
        </button>
      </div>
    </>
  );
}
