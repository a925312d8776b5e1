// Pairing without a relay, one screen for each step: what to do now, and what comes next. The member usually
// shows the first code, and the newcomer scans it; either may do either.
//
// The dialog of a newcomer ends with the screen that it is on, once the pool opens: that ends no pairing.

import { useSignal, type Signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { isPalmError } from '../../core/model/errors.ts';
import type { Failure } from '../../core/model/failures.ts';
import { MAX_PASTED_CHARS } from '../../core/model/limits.ts';
import type { PairingStatus } from '../../runtime/pair-api.ts';
import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { QrCode } from '../parts/qr-code.tsx';
import { StepHeading } from '../parts/step-heading.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';
import { askForCamera } from './camera.ts';
import { Scanner } from './scanner.tsx';

/** What the person wants to do, as far as the pairing leaves a choice. */
type Wish = 'show' | 'scan-first' | 'scan-answer';

type Step =
  | 'preparing'
  | 'offer'
  | 'scan-first'
  | 'scan-answer'
  | 'let-in'
  | 'answer'
  | 'linking'
  | 'linked'
  | 'failed';

interface PairDialogProps {
  readonly begins: 'show' | 'scan-first';
  /** Of a device in no pool; undefined or '' keeps its present one. */
  readonly deviceName?: Signal<string>;
  readonly onClose: () => void;
}

export function PairDialog({ begins, deviceName, onClose }: PairDialogProps) {
  const { palm } = usePage();
  const pairing = useStatus((status) => status.pairing);
  const wish = useSignal<Wish>(begins);
  /** Why no pairing could begin at all. */
  const trouble = useSignal('');
  /** A newcomer's code, until the person says whether that device comes in. */
  const newcomer = useSignal('');
  const isOpen = useRef(true);
  const name = deviceName?.value.trim() ?? '';
  const options = name === '' ? {} : { deviceName: name };

  const start = (wanted: 'show' | 'scan-first'): void => {
    wish.value = wanted;
    trouble.value = '';
    newcomer.value = '';
    palm.pairCancel();
    if (wanted === 'scan-first') return;
    void askForCamera()
      .then(() => (isOpen.current ? palm.pairOffer(options) : undefined))
      .catch((error: unknown) => {
        if (!isPalmError(error, 'cancelled')) trouble.value = explain(error);
      });
  };
  useEffect(() => {
    start(begins);
    return () => {
      isOpen.current = false;
    };
  }, []);
  const close = (): void => {
    palm.pairCancel();
    onClose();
  };
  const use = async (text: string, letIn: boolean): Promise<string> => {
    try {
      if (wish.value === 'scan-answer') await accepted(palm.pairAccept(text, { letIn }));
      else await palm.pairAnswer(text, { ...options, letIn });
      newcomer.value = '';
      return '';
    } catch (error) {
      if (isPalmError(error) && isOfNewcomer(error.failure)) {
        newcomer.value = text;
        return '';
      }
      return explain(error);
    }
  };
  const scanned = stepOf(pairing, wish.value, trouble.value);
  const isScan = scanned === 'scan-first' || scanned === 'scan-answer';
  const step = isScan && newcomer.value !== '' ? 'let-in' : scanned;
  return (
    <Dialog title={words.pair.open} onClose={close}>
      <StepHeading key={step} text={words.pair[step].heading} />
      {step === 'preparing' || step === 'linking' ? <p role="status">{words.pair[step].lead}</p> : null}
      {step === 'offer' || step === 'answer' ? (
        <ShownCode step={step} pairing={pairing}>
          {step === 'answer' ? null : (
            <>
              <button type="button" class="button primary wide" onClick={() => (wish.value = 'scan-answer')}>
                {words.pair.next}
              </button>
              <button type="button" class="button quiet wide" onClick={() => start('scan-first')}>
                {words.pair.scanInstead}
              </button>
            </>
          )}
        </ShownCode>
      ) : null}
      {step === 'scan-first' ? (
        <ScannedCode key={step} step={step} onText={(text) => use(text, false)}>
          <button type="button" class="button quiet wide" onClick={() => start('show')}>
            {words.pair.showInstead}
          </button>
        </ScannedCode>
      ) : null}
      {step === 'scan-answer' ? (
        <ScannedCode key={step} step={step} onText={(text) => use(text, false)}>
          <button type="button" class="button quiet wide" onClick={() => (wish.value = 'show')}>
            {words.pair.back}
          </button>
        </ScannedCode>
      ) : null}
      {step === 'let-in' ? (
        <LetInQuestion onYes={() => use(newcomer.value, true)} onNo={() => start(begins)} />
      ) : null}
      {step === 'failed' ? (
        <>
          <Trouble text={pairing?.problem ?? trouble.value} />
          <button type="button" class="button primary wide" onClick={() => start(begins)}>
            {words.pair.startOver}
          </button>
        </>
      ) : null}
      {step === 'linked' ? (
        <>
          <p role="status">{words.pair.linked.lead}</p>
          <button type="button" class="button primary wide" onClick={close}>
            {words.pair.done}
          </button>
        </>
      ) : null}
    </Dialog>
  );
}

function stepOf(pairing: PairingStatus | undefined, wish: Wish, trouble: string): Step {
  if (pairing === undefined) {
    if (trouble !== '') return 'failed';
    return wish === 'scan-first' ? wish : 'preparing';
  }
  switch (pairing.step) {
    case 'offering':
      if (pairing.code === undefined) return 'preparing';
      return wish === 'scan-answer' ? wish : 'offer';
    case 'answering':
      return pairing.code === undefined ? 'preparing' : 'answer';
    case 'linking':
    case 'linked':
    case 'failed':
      return pairing.step;
  }
}

/** Resolves at the second scan; what follows shows in the status. @throws PalmError 'bad-pair-code'. */
async function accepted(pairing: Promise<void>): Promise<void> {
  try {
    await pairing;
  } catch (error) {
    if (isPalmError(error, 'bad-pair-code')) throw error;
  }
}

function isOfNewcomer(failure: Failure): boolean {
  return failure.code === 'bad-pair-code' && failure.reason === 'newcomer';
}

interface LetInQuestionProps {
  /** Returns what is wrong, in words; '' when the pairing goes on. */
  readonly onYes: () => Promise<string>;
  readonly onNo: () => void;
}

function LetInQuestion({ onYes, onNo }: LetInQuestionProps) {
  const { lead } = words.pair['let-in'];
  const trouble = useSignal('');
  return (
    <>
      <p>{lead}</p>
      <Trouble text={trouble.value} />
      <button
        type="button"
        class="button primary wide"
        onClick={() => void onYes().then((wrong) => (trouble.value = wrong))}
      >
        {words.pair.letIn}
      </button>
      <button type="button" class="button quiet wide" onClick={onNo}>
        {words.pair.notIn}
      </button>
    </>
  );
}

interface ShownCodeProps {
  readonly step: 'offer' | 'answer';
  readonly pairing: PairingStatus | undefined;
  readonly children: ComponentChildren;
}

function ShownCode({ step, pairing, children }: ShownCodeProps) {
  const { code = '', untilMs = 0 } = pairing ?? {};
  return (
    <>
      <p>{words.pair[step].lead}</p>
      <QrCode text={code} label={words.pair.codeOf[step]} ecc="medium" />
      {children}
      <CopyField label={words.pair.asText} text={code} />
      <p class="hint">{words.pair.until(words.units.until(untilMs, Date.now()))}</p>
    </>
  );
}

interface ScannedCodeProps {
  readonly step: 'scan-first' | 'scan-answer';
  readonly onText: (text: string) => Promise<string>;
  readonly children: ComponentChildren;
}

function ScannedCode({ step, onText, children }: ScannedCodeProps) {
  const pasted = useSignal('');
  const trouble = useSignal('');
  return (
    <>
      <p>{words.pair[step].lead}</p>
      <Scanner onText={onText} />
      <form
        class="paste-code"
        onSubmit={(event) => {
          event.preventDefault();
          void onText(pasted.value).then((wrong) => (trouble.value = wrong));
        }}
      >
        <Field label={words.pair.paste} value={pasted} maxLength={MAX_PASTED_CHARS} link />
        <Trouble text={trouble.value} />
        <button type="submit" class="button wide">
          {words.pair.use}
        </button>
      </form>
      {children}
    </>
  );
}
