// An opened or scanned invite, waiting for the person's consent.

import { useSignal, type Signal } from '@preact/signals';
import { MAX_DEVICE_NAME_BYTES, MAX_PASTED_CHARS } from '../../core/model/limits.ts';
import { Brand } from '../parts/brand.tsx';
import { Field } from '../parts/field.tsx';
import { Notices } from '../parts/messages.tsx';
import { foreignInvite } from '../route.ts';
import { useEntrance } from './entrance.ts';
import { words } from '../text/words.ts';

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
  const elsewhere = foreignInvite(link.value, location.origin);
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
        <h1 tabIndex={-1}>{words.join.heading}</h1>
        <p class="lead">{words.join.lead}</p>
        {elsewhere === undefined ? null : (
          <p class="message warning" role="note">
            {words.join.madeElsewhere(elsewhere.origin, (text) => (
              <a href={elsewhere.url}>{text}</a>
            ))}
          </p>
        )}
        <Field label={words.common.deviceName} value={deviceName} maxLength={MAX_DEVICE_NAME_BYTES} />
        <Field label={words.common.inviteLink} value={link} maxLength={MAX_PASTED_CHARS} link />
        <button type="submit" class="button primary wide" disabled={joining}>
          {joining ? words.welcome.joining : words.welcome.join}
        </button>
        <button type="button" class="button quiet wide" disabled={joining} onClick={onDecline}>
          {words.join.decline}
        </button>
      </form>
    </main>
  );
}
