// A locked device: asks for its passphrase, and offers the way out for somebody who lost it.

import { useSignal } from '@preact/signals';
import { MAX_PASSPHRASE_BYTES } from '../../core/model/limits.ts';
import { Brand } from '../parts/brand.tsx';
import { Field } from '../parts/field.tsx';
import { Notices } from '../parts/messages.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { LeaveUnopened } from '../start-screen.tsx';
import { usePage } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function UnlockScreen() {
  const { palm } = usePage();
  const passphrase = useSignal('');
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  const unlock = async (): Promise<void> => {
    trouble.value = passphrase.value === '' ? words.unlock.empty : '';
    if (trouble.value !== '') return;
    isBusy.value = true;
    try {
      await palm.unlock(passphrase.value);
    } catch (error) {
      trouble.value = explain(error);
      passphrase.value = '';
      isBusy.value = false;
    }
  };
  return (
    <main class="join">
      <Notices />
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          if (!isBusy.value) void unlock();
        }}
      >
        <Brand />
        <h1 tabIndex={-1}>{words.unlock.heading}</h1>
        <Trouble text={trouble.value} />
        <Field
          label={words.lock.passphrase}
          value={passphrase}
          maxLength={MAX_PASSPHRASE_BYTES}
          hint={words.unlock.lead}
          secret="present"
          autofocus
        />
        <button type="submit" class="button primary wide" disabled={isBusy.value}>
          {isBusy.value ? words.unlock.unlocking : words.unlock.unlock}
        </button>
      </form>
      <section class="card">
        <p class="hint">{words.unlock.forgotten}</p>
        <LeaveUnopened leave={() => palm.leave()} />
      </section>
    </main>
  );
}
