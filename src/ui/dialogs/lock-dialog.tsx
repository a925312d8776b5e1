// The lock of this device: sets it, closes it, changes its ways, takes it away.

import { useSignal, type Signal } from '@preact/signals';
import { MAX_PASSPHRASE_BYTES } from '../../core/model/limits.ts';
import type { LockWay } from '../../runtime/lock-api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';
import { AddPasskey, PasskeyAlone } from './lock-passkey.tsx';
import { type LockPartProps, useLock } from './lock-work.ts';

/** Each character is one byte at least. */
const MAX_CHARS = MAX_PASSPHRASE_BYTES;

export function LockDialog({ onClose }: { readonly onClose: () => void }) {
  const hasLock = useStatus(({ lock }) => lock !== 'none');
  const { queue } = usePage();
  const trouble = useSignal('');
  const busy: LockPartProps['busy'] = useSignal('no');
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
          <PasskeyAlone trouble={trouble} busy={busy} />
        </>
      )}
    </Dialog>
  );
}

function PresentLock({ trouble, busy, onClose }: LockPartProps & { readonly onClose: () => void }) {
  const hasPassphrase = useWay('passphrase');
  const hasPasskey = useWay('passkey');
  const lock = useLock({ trouble, busy });
  return (
    <>
      <p>{words.lock.hasLock}</p>
      <button
        type="button"
        class="button primary wide"
        autofocus
        disabled={busy.value !== 'no'}
        onClick={() => void lock(({ palm }) => palm.lock())}
      >
        {busy.value === 'locking' ? words.lock.setting : words.lock.lockNow}
      </button>
      {hasPasskey ? null : <AddPasskey trouble={trouble} busy={busy} />}
      <h3>{hasPassphrase ? words.lock.changeHeading : words.lock.addPassphraseHeading}</h3>
      {hasPassphrase && !hasPasskey ? null : (
        <p class="hint">{hasPassphrase ? words.lock.changeAsks : words.lock.addPassphraseLead}</p>
      )}
      <NewPassphrase
        trouble={trouble}
        busy={busy}
        label={words.lock.newPassphrase}
        action={hasPassphrase ? words.lock.change : words.lock.addAndLock}
      />
      {hasPassphrase && hasPasskey ? <RemovePasskey trouble={trouble} busy={busy} /> : null}
      <h3>{words.lock.removeHeading}</h3>
      {hasPassphrase ? (
        <RemoveByPassphrase trouble={trouble} busy={busy} onClose={onClose} />
      ) : (
        <RemoveByPasskey trouble={trouble} busy={busy} onClose={onClose} />
      )}
    </>
  );
}

/** The passphrase is checked first: whatever is given next becomes the only way. */
function RemovePasskey({ trouble, busy }: LockPartProps) {
  const passphrase = useSignal('');
  const lock = useLock({ trouble, busy });
  return (
    <>
      <h3>{words.lock.removePasskeyHeading}</h3>
      <PresentPassphrase
        passphrase={passphrase}
        label={words.lock.passphraseThatStays}
        hint={words.lock.removePasskeyHint}
        action={busy.value === 'locking' ? words.lock.setting : words.lock.removePasskey}
        isBusy={busy.value !== 'no'}
        submit={() =>
          lock(async ({ palm }) => {
            await palm.unlock(passphrase.value);
            await palm.lock(passphrase.value, { only: true });
          })
        }
      />
    </>
  );
}

function RemoveByPassphrase({ trouble, busy, onClose }: LockPartProps & { readonly onClose: () => void }) {
  const { palm } = usePage();
  const passphrase = useSignal('');
  const remove = useRemoval({ trouble, busy, onClose });
  return (
    <PresentPassphrase
      passphrase={passphrase}
      label={words.lock.passphrase}
      hint={words.lock.removeHint}
      action={busy.value === 'removing' ? words.lock.removing : words.lock.remove}
      isBusy={busy.value !== 'no'}
      submit={() => remove(() => palm.unlock(passphrase.value, { remove: true }))}
    />
  );
}

function RemoveByPasskey({ trouble, busy, onClose }: LockPartProps & { readonly onClose: () => void }) {
  const { palm } = usePage();
  const remove = useRemoval({ trouble, busy, onClose });
  return (
    <>
      <p class="hint">{words.lock.removeHint}</p>
      <div class="dialog-actions">
        <button
          type="button"
          class="button danger"
          disabled={busy.value !== 'no'}
          onClick={() => void remove(() => palm.unlockWithPasskey({ remove: true }))}
        >
          {busy.value === 'removing' ? words.lock.removing : words.lock.removeWithPasskey}
        </button>
      </div>
    </>
  );
}

interface PresentPassphraseProps {
  readonly passphrase: Signal<string>;
  readonly label: string;
  readonly hint: string;
  readonly action: string;
  readonly isBusy: boolean;
  readonly submit: () => Promise<void>;
}

function PresentPassphrase({ passphrase, label, hint, action, isBusy, submit }: PresentPassphraseProps) {
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <Field label={label} value={passphrase} maxLength={MAX_CHARS} hint={hint} secret="present" />
      <div class="dialog-actions">
        <button type="submit" class="button danger" disabled={isBusy}>
          {action}
        </button>
      </div>
    </form>
  );
}

function NewPassphrase({
  trouble,
  busy,
  label,
  action,
}: LockPartProps & { readonly label: string; readonly action: string }) {
  const passphrase = useSignal('');
  const again = useSignal('');
  const lock = useLock({ trouble, busy });
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (passphrase.value === again.value) void lock(({ palm }) => palm.lock(passphrase.value));
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

function useWay(way: LockWay): boolean {
  return useStatus(({ lockWays }) => lockWays?.includes(way) === true);
}

function useRemoval({
  trouble,
  busy,
  onClose,
}: LockPartProps & { readonly onClose: () => void }): (work: () => Promise<void>) => Promise<void> {
  const { said } = usePage();
  return async (work) => {
    busy.value = 'removing';
    trouble.value = '';
    try {
      await work();
      said.value = words.lock.removed;
      onClose();
    } catch (error) {
      trouble.value = explain(error);
    }
    busy.value = 'no';
  };
}
