// The lock of this device: sets it, closes it, changes its passphrase, takes it away.

import { useSignal, type Signal } from '@preact/signals';
import { MAX_PASSPHRASE_BYTES } from '../../core/model/limits.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { explain } from '../text/explain.ts';
import { usePage, useStatus } from '../state/page.ts';
import { words } from '../text/words.ts';

/** Each character is one byte at least. */
const MAX_CHARS = MAX_PASSPHRASE_BYTES;

export function LockDialog({ onClose }: { readonly onClose: () => void }) {
  const hasLock = useStatus(({ lock }) => lock !== 'none');
  const { queue } = usePage();
  const trouble = useSignal('');
  const busy = useSignal<'no' | 'locking' | 'removing'>('no');
  const waitingCount = queue.items.value.filter(({ state }) => state.kind !== 'failed').length;
  return (
    <Dialog title={words.lock.title} onClose={onClose} insistent={busy.value !== 'no'}>
      <Trouble text={trouble.value} />
      {waitingCount === 0 ? null : (
        <p class="message warning" role="note">
          {words.lock.waiting(waitingCount)}
        </p>
      )}
      {hasLock ? (
        <PresentLock trouble={trouble} busy={busy} onClose={onClose} />
      ) : (
        <>
          <p>{words.lock.lead}</p>
          <p>{words.lock.whatItMeans}</p>
          <p class="hint">{words.lock.noWayBack}</p>
          <NewPassphrase
            trouble={trouble}
            busy={busy}
            label={words.lock.passphrase}
            action={words.lock.set}
          />
        </>
      )}
    </Dialog>
  );
}

interface PartProps {
  readonly trouble: Signal<string>;
  readonly busy: Signal<'no' | 'locking' | 'removing'>;
}

function PresentLock({ trouble, busy, onClose }: PartProps & { readonly onClose: () => void }) {
  const { palm, said } = usePage();
  const passphrase = useSignal('');
  const lockNow = useLock({ trouble, busy });
  const remove = async (): Promise<void> => {
    busy.value = 'removing';
    trouble.value = '';
    try {
      await palm.unlock(passphrase.value, { remove: true });
      said.value = words.lock.removed;
      onClose();
    } catch (error) {
      trouble.value = explain(error);
    }
    busy.value = 'no';
  };
  return (
    <>
      <p>{words.lock.hasLock}</p>
      <button
        type="button"
        class="button primary wide"
        autofocus
        disabled={busy.value !== 'no'}
        onClick={() => void lockNow(undefined)}
      >
        {busy.value === 'locking' ? words.lock.setting : words.lock.lockNow}
      </button>
      <h3>{words.lock.changeHeading}</h3>
      <NewPassphrase
        trouble={trouble}
        busy={busy}
        label={words.lock.newPassphrase}
        action={words.lock.change}
      />
      <h3>{words.lock.removeHeading}</h3>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void remove();
        }}
      >
        <Field
          label={words.lock.passphrase}
          value={passphrase}
          maxLength={MAX_CHARS}
          hint={words.lock.removeHint}
          secret="present"
        />
        <div class="dialog-actions">
          <button type="submit" class="button danger" disabled={busy.value !== 'no'}>
            {busy.value === 'removing' ? words.lock.removing : words.lock.remove}
          </button>
        </div>
      </form>
    </>
  );
}

function NewPassphrase({
  trouble,
  busy,
  label,
  action,
}: PartProps & { readonly label: string; readonly action: string }) {
  const passphrase = useSignal('');
  const again = useSignal('');
  const lock = useLock({ trouble, busy });
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (passphrase.value === again.value) void lock(passphrase.value);
        else trouble.value = words.lock.differ;
      }}
    >
      <Field
        label={label}
        value={passphrase}
        maxLength={MAX_CHARS}
        secret="new"
        autofocus={label === words.lock.passphrase}
      />
      <Field label={words.lock.again} value={again} maxLength={MAX_CHARS} secret="new" />
      <div class="dialog-actions">
        <button type="submit" class="button primary" disabled={busy.value !== 'no'}>
          {busy.value === 'locking' ? words.lock.setting : action}
        </button>
      </div>
    </form>
  );
}

/** Locks the device. The screen with this dialog is gone then. */
function useLock({ trouble, busy }: PartProps): (passphrase: string | undefined) => Promise<void> {
  const { palm, removals } = usePage();
  return async (passphrase) => {
    busy.value = 'locking';
    trouble.value = '';
    try {
      removals.commit();
      await palm.lock(passphrase);
    } catch (error) {
      trouble.value = explain(error);
      busy.value = 'no';
    }
  };
}
