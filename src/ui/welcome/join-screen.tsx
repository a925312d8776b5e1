// An opened or scanned invite, waiting for the person's consent.

import { useSignal, type Signal } from '@preact/signals';
import { MAX_DEVICE_NAME_BYTES } from '../../core/model/limits.ts';
import { Brand } from '../parts/brand.tsx';
import { Field } from '../parts/field.tsx';
import { Notices } from '../parts/messages.tsx';
import { foreignOrigin, MAX_LINK_CHARS } from '../route.ts';
import { useEntrance } from './entrance.ts';

interface JoinScreenProps {
  readonly invite: string;
  readonly deviceName: Signal<string>;
  /** The join was tried, successfully or not: the address need no longer hold the secret. */
  readonly onTried: () => void;
  readonly onDecline: () => void;
}

export function JoinScreen({ invite, deviceName, onTried, onDecline }: JoinScreenProps) {
  const entrance = useEntrance(deviceName);
  const link = useSignal(invite);
  const joining = entrance.busy.value === 'joining';
  const elsewhere = foreignOrigin(link.value, location.origin);
  return (
    <main class="join">
      <Notices />
      <form
        class="card"
        onSubmit={(event) => {
          event.preventDefault();
          void entrance.join(link.value).finally(onTried);
        }}
      >
        <Brand />
        <h1 tabIndex={-1}>Join this pool?</h1>
        <p class="lead">
          This device will keep encrypted pieces of the pool’s files, and can open and remove them like every
          other member.
        </p>
        {elsewhere === undefined ? null : (
          <p class="message warning" role="note">
            This invite was made at {elsewhere}. Devices meet only where they open Palm at the same address:{' '}
            <a href={link.value}>open it there</a>.
          </p>
        )}
        <Field label="Device name" value={deviceName} maxLength={MAX_DEVICE_NAME_BYTES} />
        <Field label="Invite link" value={link} maxLength={MAX_LINK_CHARS} link />
        <button type="submit" class="button primary wide" disabled={joining}>
          {joining ? 'Joining…' : 'Join'}
        </button>
        <button type="button" class="button quiet wide" disabled={joining} onClick={onDecline}>
          Not now
        </button>
      </form>
    </main>
  );
}
