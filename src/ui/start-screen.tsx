// The screen before the pool is open, or instead of it.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { Brand } from './parts/brand.tsx';
import type { PlatformVerdict } from './platform-check.ts';
import { explain } from './text/explain.ts';

export type StartState =
  | { readonly kind: 'opening' }
  | { readonly kind: 'other-tab' }
  | { readonly kind: 'unfit'; readonly verdict: Exclude<PlatformVerdict, { kind: 'fit' }> }
  | {
      readonly kind: 'failed';
      readonly reason: string;
      /** Absent where leaving the pool would not help. */
      readonly leave?: () => Promise<void>;
    };

export function StartScreen({ state }: { readonly state: StartState }) {
  switch (state.kind) {
    case 'opening':
      return (
        <Plain>
          <p role="status">Opening Palm…</p>
        </Plain>
      );
    case 'other-tab':
      return (
        <Plain>
          <h1>Palm is open in another tab of this browser</h1>
          <p role="status">
            One tab at a time runs this device. Close the other one, and this one takes over.
          </p>
        </Plain>
      );
    case 'unfit':
      return state.verdict.kind === 'insecure' ? <Insecure /> : <Unfit missing={state.verdict.missing} />;
    case 'failed':
      return (
        <Plain>
          <h1>Palm could not open</h1>
          <p role="alert">{state.reason}</p>
          <p>What this device holds has not been touched.</p>
          <button type="button" class="button primary" onClick={() => location.reload()}>
            Try again
          </button>
          {state.leave === undefined ? null : <LeaveUnopened leave={state.leave} />}
        </Plain>
      );
  }
}

/**
 * The way out of a pool that does not open. It asks twice, because it deletes data that might be opened
 * another day.
 */
function LeaveUnopened({ leave }: { readonly leave: () => Promise<void> }) {
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
        Leave the pool instead…
      </button>
    );
  }
  return (
    <div>
      <p>
        Leaving deletes the pool’s key and every encrypted piece in this browser. The other devices keep
        theirs, and you can come back with a new invite.
      </p>
      {trouble.value === '' ? null : <p role="alert">{trouble.value}</p>}
      <button
        type="button"
        class="button danger"
        disabled={step.value === 'leaving'}
        onClick={() => void leaveNow()}
      >
        {step.value === 'leaving' ? 'Leaving…' : 'Leave and delete'}
      </button>
    </div>
  );
}

function Insecure() {
  return (
    <Plain>
      <h1>This address is not secure enough for Palm</h1>
      <p role="alert">
        Browsers allow encryption only on https addresses, and on localhost. Open the address that begins with
        https:// which the relay printed when it started. On the computer that runs the relay,
        http://localhost works too.
      </p>
    </Plain>
  );
}

function Unfit({ missing }: { readonly missing: readonly string[] }) {
  return (
    <Plain>
      <h1>This browser cannot run Palm</h1>
      <div role="alert">
        <p>It lacks:</p>
        <ul>
          {missing.map((name) => (
            <li key={name}>{name}</li>
          ))}
        </ul>
        <p>Open this address in an up-to-date Chrome, Edge, Firefox or Safari, outside of other apps.</p>
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
