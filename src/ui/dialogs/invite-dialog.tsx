// The invite, to be scanned, copied or read aloud.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { QrCode } from '../parts/qr-code.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { isLoopback } from '../route.ts';
import { InviteOptionsForm, LiveInvites } from './live-invites.tsx';
import { ListingPart } from './listing-part.tsx';
import { RelayFingerprints } from './relay-fingerprints.tsx';
import { LAN_PATH } from '../../core/model/relay-paths.ts';
import { useInvites } from '../state/invites.ts';
import { usePage } from '../state/page.ts';
import { askRelay, lastAnswer } from '../state/relay-answers.ts';
import { idOf, USUAL_INVITE } from '../state/shown-invite.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

interface InviteDialogProps {
  readonly onClose: () => void;
  /** There is no relay, and the other device is here. */
  readonly onPair: () => void;
}

export function InviteDialog({ onClose, onPair }: InviteDialogProps) {
  const { shownInvite } = usePage();
  const invite = useSignal('');
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  const draft = useSignal(USUAL_INVITE);
  const show = async (asked: Promise<string>): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      invite.value = await asked;
    } catch (error) {
      trouble.value = explain(error);
    } finally {
      isBusy.value = false;
    }
  };
  useEffect(() => void show(shownInvite.show()), [shownInvite]);
  const { isEnding } = shownInvite;
  return (
    <Dialog title={words.invite.title} onClose={onClose}>
      <p>{words.invite.lead}</p>
      <Trouble text={trouble.value} />
      {invite.value === '' ? null : <InviteLinks invite={invite.value} isEnding={isEnding} />}
      {isEnding ? (
        <>
          <ListingPart />
          <InviteOptionsForm
            draft={draft}
            isBusy={isBusy.value}
            onMake={() => void show(shownInvite.make(draft.value))}
          />
          <LiveInvites />
        </>
      ) : null}
      <p class="hint">{words.pair.whenToPair}</p>
      <button type="button" class="button wide" onClick={onPair}>
        {words.pair.open}
      </button>
    </Dialog>
  );
}

function InviteLinks({ invite, isEnding }: { readonly invite: string; readonly isEnding: boolean }) {
  const isLocal = isLoopback(location.hostname);
  const lanUrl = useLanUrl(isLocal);
  // Other devices use another address; the part after the #, which is the invite itself, is the same.
  const scanned = lanUrl === undefined ? invite : `${lanUrl}${new URL(invite).hash}`;
  const shown = useInvites().find(({ id }) => id === idOf(invite));
  return (
    <>
      <QrCode text={scanned} label={words.invite.code} />
      <RelayFingerprints />
      {isLocal ? <LocalNote lanUrl={lanUrl} /> : null}
      <CopyField label={words.common.inviteLink} text={invite} />
      {lanUrl === undefined ? null : <CopyField label={words.invite.linkForOthers} text={scanned} />}
      <p class="hint" role={isEnding ? 'status' : undefined}>
        {isEnding ? words.invite.shown(shown, Date.now()) : words.invite.whoHasIt}
      </p>
    </>
  );
}

function LocalNote({ lanUrl }: { readonly lanUrl: string | undefined }) {
  if (lanUrl === undefined) {
    return (
      <p class="message warning" role="note">
        {words.invite.unreachable(location.hostname)}
      </p>
    );
  }
  return <p class="hint">{words.invite.opensAt(<bdi>{new URL(lanUrl).host}</bdi>)}</p>;
}

/**
 * This machine's address on the network, from the relay; undefined if it has never said.
 */
function useLanUrl(isLocal: boolean): string | undefined {
  const lanUrl = useSignal(isLocal ? lanUrlIn(lastAnswer(LAN_PATH)) : undefined);
  useEffect(() => {
    if (!isLocal) return undefined;
    const asking = new AbortController();
    askRelay(LAN_PATH, asking.signal).then(
      (answer) => (lanUrl.value = lanUrlIn(answer)),
      // The dialog was closed.
      () => undefined,
    );
    return () => asking.abort();
  }, [isLocal]);
  return lanUrl.value;
}

function lanUrlIn(answer: unknown): string | undefined {
  const [first]: unknown[] = Array.isArray(answer) ? answer : [];
  return typeof first === 'string' && URL.canParse(first) ? first : undefined;
}
