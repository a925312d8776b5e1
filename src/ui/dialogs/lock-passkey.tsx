// A passkey for the lock: beside the passphrase, or alone.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { PasskeySupport } from '../../runtime/lock-api.ts';
import { usePage } from '../state/page.ts';
import { words } from '../text/words.ts';
import { type LockPartProps, useLock } from './lock-work.ts';

/** For a lock with a passphrase, which stays. */
export function AddPasskey(props: LockPartProps) {
  return (
    <PasskeyPart
      {...props}
      heading={words.lock.addPasskeyHeading}
      lead={words.lock.addPasskeyLead}
      action={words.lock.addAndLock}
    />
  );
}

/** For a device without a lock: then nothing else opens it. */
export function PasskeyAlone(props: LockPartProps) {
  return (
    <PasskeyPart
      {...props}
      heading={words.lock.passkeyAloneHeading}
      lead={words.lock.passkeyAloneLead}
      action={words.lock.passkeyAlone}
    />
  );
}

interface PasskeyPartProps extends LockPartProps {
  readonly heading: string;
  readonly lead: string;
  readonly action: string;
}

function PasskeyPart({ trouble, busy, heading, lead, action }: PasskeyPartProps) {
  const support = usePasskeySupport();
  const lock = useLock({ trouble, busy });
  if (support === undefined) return null;
  return (
    <>
      <h3>{heading}</h3>
      <p class="hint">{support.usable ? lead : support.problem}</p>
      {support.usable ? (
        <div class="dialog-actions">
          <button
            type="button"
            class="button"
            disabled={busy.value !== 'no'}
            onClick={() => void lock(({ palm }) => palm.lockWithPasskey())}
          >
            {busy.value === 'locking' ? words.lock.setting : action}
          </button>
        </div>
      ) : null}
    </>
  );
}

function usePasskeySupport(): PasskeySupport | undefined {
  const { palm } = usePage();
  const support = useSignal<PasskeySupport | undefined>(undefined);
  useEffect(() => {
    void palm.passkeys().then((found) => (support.value = found));
  }, []);
  return support.value;
}
