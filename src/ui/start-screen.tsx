// The screen before the pool is open, or instead of it.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { DoctorDialog, type Diagnose } from './dialogs/doctor-dialog.tsx';
import { Brand } from './parts/brand.tsx';
import type { PlatformNeed, PlatformVerdict } from './platform-check.ts';
import { CopyMessage } from './parts/copy-message.tsx';
import { isAboutBug, explain } from './text/explain.ts';
import { words } from './text/words.ts';

export type StartState =
  | { readonly kind: 'opening' }
  /** Another tab has the device, and this one cannot speak to it. */
  | { readonly kind: 'other-tab'; readonly sharing: 'silent' | 'other-version' }
  | { readonly kind: 'unfit'; readonly verdict: Exclude<PlatformVerdict, { kind: 'fit' }> }
  /** What was stored was deleted under this page. */
  | { readonly kind: 'gone'; readonly reason: string }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** Absent where leaving the pool would not help. */
      readonly leave?: () => Promise<void>;
    };

const REASON_ID = 'reason';

interface StartScreenProps {
  readonly state: StartState;
  /** Works where the app does not open. */
  readonly diagnose: Diagnose;
}

export function StartScreen({ state, diagnose }: StartScreenProps) {
  switch (state.kind) {
    case 'opening':
      return (
        <Plain>
          <p role="status">{words.start.opening}</p>
        </Plain>
      );
    case 'other-tab':
      return (
        <Plain>
          <h1>{words.start.otherTab.heading}</h1>
          <p role="status">
            {state.sharing === 'silent' ? words.start.otherTab.silent : words.start.otherTab.otherVersion}
          </p>
          <button type="button" class="button primary" onClick={() => location.reload()}>
            {words.start.gone.reload}
          </button>
        </Plain>
      );
    case 'unfit':
      return state.verdict.kind === 'insecure' ? (
        <Insecure diagnose={diagnose} />
      ) : (
        <Unfit {...state.verdict} />
      );
    case 'gone':
      return (
        <Plain>
          <h1>{words.start.gone.heading}</h1>
          <p role="alert">{state.reason}</p>
          <button type="button" class="button primary" onClick={() => location.reload()}>
            {words.start.gone.reload}
          </button>
        </Plain>
      );
    case 'failed':
      return (
        <Plain>
          <h1>{words.start.failed.heading}</h1>
          <p id={REASON_ID} role="alert">
            {state.reason}
          </p>
          {isAboutBug(state.reason) ? <CopyMessage text={state.reason} textId={REASON_ID} /> : null}
          <p>{words.start.failed.untouched}</p>
          <button type="button" class="button primary" onClick={() => location.reload()}>
            {words.common.tryAgain}
          </button>
          <OpenDoctor diagnose={diagnose} />
          {state.leave === undefined ? null : <LeaveUnopened leave={state.leave} />}
        </Plain>
      );
  }
}

/**
 * The way out of a pool that does not open. It asks twice, because it deletes data that might be opened
 * another day.
 */
export function LeaveUnopened({ leave }: { readonly leave: () => Promise<void> }) {
  const step = useSignal<'offer' | 'ask' | 'leaving'>('offer');
  const trouble = useSignal('');
  const leaveNow = async (): Promise<void> => {
    step.value = 'leaving';
    try {
      await leave();
      location.reload();
    } catch (error) {
      trouble.value = explain(error);
      step.value = 'ask';
    }
  };
  if (step.value === 'offer') {
    return (
      <button type="button" class="button" onClick={() => (step.value = 'ask')}>
        {words.start.failed.leave}
      </button>
    );
  }
  return (
    <div>
      <p>{words.start.failed.whatLeavingDoes}</p>
      {trouble.value === '' ? null : <p role="alert">{trouble.value}</p>}
      <button
        type="button"
        class="button danger"
        disabled={step.value === 'leaving'}
        onClick={() => void leaveNow()}
      >
        {step.value === 'leaving' ? words.leave.leaving : words.leave.leave}
      </button>
    </div>
  );
}

function OpenDoctor({ diagnose }: Pick<StartScreenProps, 'diagnose'>) {
  const isOpen = useSignal(false);
  return (
    <>
      <button type="button" class="button" onClick={() => (isOpen.value = true)}>
        {words.doctor.openHere}
      </button>
      {isOpen.value ? <DoctorDialog diagnose={diagnose} onClose={() => (isOpen.value = false)} /> : null}
    </>
  );
}

function Insecure({ diagnose }: Pick<StartScreenProps, 'diagnose'>) {
  return (
    <Plain>
      <h1>{words.start.insecure.heading}</h1>
      <p role="alert">{words.start.insecure.hint}</p>
      <OpenDoctor diagnose={diagnose} />
    </Plain>
  );
}

interface UnfitProps {
  readonly missing: readonly PlatformNeed[];
  readonly functions: readonly string[];
}

function Unfit({ missing, functions }: UnfitProps) {
  return (
    <Plain>
      <h1>{words.start.unfit.heading}</h1>
      <div role="alert">
        <p>{words.start.unfit.lacks}</p>
        <ul>
          {missing.map((need) => (
            <li key={need}>{words.start.needs[need]}</li>
          ))}
          {functions.map((name) => (
            <li key={name}>{name}()</li>
          ))}
        </ul>
        <p>{words.start.unfit.hint}</p>
      </div>
    </Plain>
  );
}

function Plain({ children }: { readonly children: ComponentChildren }) {
  return (
    <main class="plain">
      <Brand />
      {children}
    </main>
  );
}
