// A locked device: asks for its passkey or passphrase, and offers the way out for somebody who lost them.

import { useSignal } from '@preact/signals';
import { MAX_PASSPHRASE_BYTES } from '../../core/model/limits.ts';
import { Brand } from '../parts/brand.tsx';
import { Field } from '../parts/field.tsx';
import { Notices } from '../parts/messages.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { LeaveUnopened } from '../start-screen.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function UnlockScreen() {
  const { palm } = usePage();
  const hasPasskey = useStatus(({ lockWays }) => lockWays?.includes('passkey') === true);
  const hasPassphrase = useStatus(({ lockWays }) => lockWays?.includes('passphrase') !== false);
  const passphrase = useSignal('');
  const trouble = useSignal('');
  const busy = useSignal<'no' | 'passphrase' | 'passkey'>('no');
  const unlock = async (way: 'passphrase' | 'passkey'): Promise<void> => {
    const isEmpty = way === 'passphrase' && passphrase.value === '';
    trouble.value = isEmpty ? words.unlock.empty : '';
    if (isEmpty || busy.value !== 'no') return;
    busy.value = way;
    try {
      await (way === 'passkey' ? palm.unlockWithPasskey() : palm.unlock(passphrase.value));
    } catch (error) {
      trouble.value = explain(error);
      passphrase.value = '';
      busy.value = 'no';
    }
  };
  return (
    <main class="join">
      <Notices />
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void unlock(hasPassphrase ? 'passphrase' : 'passkey');
        }}
      >
        <Brand />
        <h1 tabIndex={-1}>{words.unlock.heading}</h1>
        <Trouble text={trouble.value} />
        {hasPasskey ? (
          <>
            <p class="hint">{words.unlock.leadPasskey}</p>
            <button
              type="button"
              class="button primary wide"
              autofocus
              disabled={busy.value !== 'no'}
              onClick={() => void unlock('passkey')}
            >
              {busy.value === 'passkey' ? words.unlock.unlocking : words.unlock.withPasskey}
            </button>
          </>
        ) : null}
        {hasPassphrase ? (
          <>
            <Field
              label={words.lock.passphrase}
              value={passphrase}
              maxLength={MAX_PASSPHRASE_BYTES}
              hint={hasPasskey ? words.unlock.or : words.unlock.lead}
              secret="present"
              autofocus={!hasPasskey}
            />
            <button
              type="submit"
              class={hasPasskey ? 'button wide' : 'button primary wide'}
              disabled={busy.value !== 'no'}
            >
              {busy.value === 'passphrase' ? words.unlock.unlocking : words.unlock.unlock}
            </button>
          </>
        ) : null}
      </form>
      <section class="card">
        <p class="hint">{forgotten(hasPassphrase, hasPasskey)}</p>
        <LeaveUnopened leave={() => palm.leave()} />
      </section>
    </main>
  );
}

function forgotten(hasPassphrase: boolean, hasPasskey: boolean): string {
  if (!hasPasskey) return words.unlock.forgotten;
  return hasPassphrase ? words.unlock.forgottenBoth : words.unlock.forgottenPasskey;
}
