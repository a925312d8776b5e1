// The first screen: what Palm is, and the two ways in.

import { useSignal, type Signal } from '@preact/signals';
import { MAX_DEVICE_NAME_BYTES, MAX_POOL_NAME_BYTES } from '../../core/model/limits.ts';
import { ScanDialog } from '../dialogs/scan-dialog.tsx';
import { Brand } from '../parts/brand.tsx';
import { Field } from '../parts/field.tsx';
import { CameraIcon } from '../parts/icons.tsx';
import { Notices } from '../parts/messages.tsx';
import { MAX_LINK_CHARS } from '../route.ts';
import { useEntrance } from './entrance.ts';

interface WelcomeScreenProps {
  readonly deviceName: Signal<string>;
  /** A private file's link was opened: it is used once there is a pool. */
  readonly fileLinkWaits: boolean;
  /** A scanned invite is confirmed on its own screen. */
  readonly onInvite: (invite: string) => void;
}

export function WelcomeScreen({ deviceName, fileLinkWaits, onInvite }: WelcomeScreenProps) {
  const entrance = useEntrance(deviceName);
  const poolName = useSignal('Home');
  const inviteLink = useSignal('');
  const scanning = useSignal(false);
  const busy = entrance.busy.value;
  return (
    <main class="welcome">
      <section class="hero">
        <Brand />
        <h1 tabIndex={-1}>Palm</h1>
        <p class="lead">Your phones and laptops keep your files together, on your own network.</p>
        <ul class="facts" role="list">
          <li>No cloud, no account, no internet</li>
          <li>Encrypted before it leaves this device</li>
          <li>Lose a device, keep the files</li>
        </ul>
      </section>
      <div class="ways">
        <Notices />
        {fileLinkWaits ? (
          <p class="message info" role="note">
            The link opens a private file of a pool. Join that pool here, and the file opens right after.
          </p>
        ) : null}
        <section class="card">
          <Field label="Device name" value={deviceName} maxLength={MAX_DEVICE_NAME_BYTES} />
        </section>
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            void entrance.create(poolName.value);
          }}
        >
          <h2>Start a new pool</h2>
          <Field label="Pool name" value={poolName} maxLength={MAX_POOL_NAME_BYTES} />
          <button type="submit" class="button primary wide" disabled={busy !== 'no'}>
            {busy === 'creating' ? 'Creating…' : 'Create a pool'}
          </button>
        </form>
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            void entrance.join(inviteLink.value);
          }}
        >
          <h2>Or join one</h2>
          <p class="hint">
            On a device of the pool, choose “Invite a device”, then scan its code or paste its link.
          </p>
          <button type="button" class="button wide" onClick={() => (scanning.value = true)}>
            <CameraIcon />
            Scan a QR code
          </button>
          <Field label="Invite link" value={inviteLink} maxLength={MAX_LINK_CHARS} link />
          <button type="submit" class="button wide" disabled={busy !== 'no'}>
            {busy === 'joining' ? 'Joining…' : 'Join'}
          </button>
        </form>
      </div>
      {scanning.value ? (
        <ScanDialog
          onClose={() => (scanning.value = false)}
          onInvite={(invite) => {
            scanning.value = false;
            onInvite(invite);
          }}
        />
      ) : null}
    </main>
  );
}
