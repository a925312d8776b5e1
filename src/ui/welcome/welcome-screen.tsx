// The first screen: what Palm is, and the two ways in.

import { useSignal, type Signal } from '@preact/signals';
import { MAX_DEVICE_NAME_BYTES, MAX_PASTED_CHARS, MAX_POOL_NAME_BYTES } from '../../core/model/limits.ts';
import { ScanDialog } from '../dialogs/scan-dialog.tsx';
import { PairDialog } from '../dialogs/pair-dialog.tsx';
import { Brand } from '../parts/brand.tsx';
import { Field } from '../parts/field.tsx';
import { CameraIcon } from '../parts/icons.tsx';
import { Notices } from '../parts/messages.tsx';
import { usePage } from '../state/page.ts';
import { useEntrance } from './entrance.ts';
import { NearbyPools } from './nearby-pools.tsx';
import { words } from '../text/words.ts';

interface WelcomeScreenProps {
  readonly deviceName: Signal<string>;
  /** A private file's link was opened: it is used once there is a pool. */
  readonly fileLinkWaits: boolean;
  /** A scanned invite is confirmed on its own screen. */
  readonly onInvite: (invite: string) => void;
}

export function WelcomeScreen({ deviceName, fileLinkWaits, onInvite }: WelcomeScreenProps) {
  const { isDiagnosing } = usePage();
  const entrance = useEntrance(deviceName);
  const poolName = useSignal(words.welcome.firstPoolName);
  const inviteLink = useSignal('');
  const scanning = useSignal(false);
  const pairing = useSignal(false);
  const busy = entrance.busy.value;
  return (
    <main class="welcome">
      <section class="hero">
        <Brand />
        <h1 tabIndex={-1}>{words.names.app}</h1>
        <p class="lead">{words.welcome.lead}</p>
        <ul class="facts" role="list">
          {words.welcome.facts.map((fact) => (
            <li key={fact}>{fact}</li>
          ))}
        </ul>
      </section>
      <div class="ways">
        <Notices />
        {fileLinkWaits ? (
          <p class="message info" role="note">
            {words.welcome.fileLinkWaits} {words.welcome.fileLinkElsewhere(location.origin)}
          </p>
        ) : null}
        <section class="card">
          <Field label={words.common.deviceName} value={deviceName} maxLength={MAX_DEVICE_NAME_BYTES} />
        </section>
        <NearbyPools deviceName={deviceName} />
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            void entrance.create(poolName.value);
          }}
        >
          <h2>{words.welcome.start}</h2>
          <Field label={words.welcome.poolName} value={poolName} maxLength={MAX_POOL_NAME_BYTES} />
          <button type="submit" class="button primary wide" disabled={busy !== 'no'}>
            {busy === 'creating' ? words.welcome.creating : words.welcome.create}
          </button>
        </form>
        <form
          class="card"
          onSubmit={(event) => {
            event.preventDefault();
            void entrance.join(inviteLink.value);
          }}
        >
          <h2>{words.welcome.orJoin}</h2>
          <p class="hint">{words.welcome.howToJoin}</p>
          <button type="button" class="button wide" onClick={() => (scanning.value = true)}>
            <CameraIcon />
            {words.welcome.scan}
          </button>
          <Field label={words.common.inviteLink} value={inviteLink} maxLength={MAX_PASTED_CHARS} link />
          <button type="submit" class="button wide" disabled={busy !== 'no'}>
            {busy === 'joining' ? words.welcome.joining : words.welcome.join}
          </button>
          <button type="button" class="button quiet wide" onClick={() => (pairing.value = true)}>
            {words.pair.open}
          </button>
        </form>
        <button type="button" class="button quiet wide" onClick={() => (isDiagnosing.value = true)}>
          {words.doctor.open}
        </button>
      </div>
      {pairing.value ? (
        <PairDialog begins="scan-first" deviceName={deviceName} onClose={() => (pairing.value = false)} />
      ) : null}
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
