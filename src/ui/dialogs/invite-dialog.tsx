// The invite, to be scanned, copied or read aloud.

import { useSignal } from '@preact/signals';
import { encodeQR } from 'qr';
import { useEffect } from 'preact/hooks';
import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { isLoopback } from '../route.ts';
import { InviteOptionsForm, LiveInvites } from './live-invites.tsx';
import { RelayFingerprints } from './relay-fingerprints.tsx';
import { LAN_PATH } from '../../core/model/relay-paths.ts';
import { useInvites } from '../state/invites.ts';
import { usePage } from '../state/page.ts';
import { askRelay, lastAnswer } from '../state/relay-answers.ts';
import { idOf, USUAL_INVITE } from '../state/shown-invite.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function InviteDialog({ onClose }: { readonly onClose: () => void }) {
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
          <InviteOptionsForm
            draft={draft}
            isBusy={isBusy.value}
            onMake={() => void show(shownInvite.make(draft.value))}
          />
          <LiveInvites />
        </>
      ) : null}
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
      <QrCode text={scanned} />
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

/** Longer texts make modules so small that cameras read them better without more of them for repair. */
const LONG_CODE_CHARS = 150;

/** Dark modules on a light ground in both themes: many cameras read nothing else. */
function QrCode({ text }: { readonly text: string }) {
  const drawn = useSignal<Drawing>({ size: 1, path: '' });
  useEffect(() => {
    // Once the dialog is painted: on a slow phone the code takes as long as a tap may.
    const timer = setTimeout(() => {
      drawn.value = drawing(
        encodeQR(text, 'raw', { ecc: text.length > LONG_CODE_CHARS ? 'low' : 'medium', border: 4 }),
      );
    });
    return () => clearTimeout(timer);
  }, [text]);
  const { size, path } = drawn.value;
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      {...(path === '' ? { 'aria-hidden': true } : { role: 'img', 'aria-label': words.invite.code })}
      shape-rendering="crispEdges"
    >
      <path class="qr-ground" d={`M0 0h${size}v${size}H0z`} />
      <path class="qr-modules" d={path} />
    </svg>
  );
}

interface Drawing {
  /** Modules on each side, the border included. */
  readonly size: number;
  readonly path: string;
}

/** One path with a horizontal run for each stretch of dark modules. */
function drawing(rows: readonly (readonly boolean[])[]): Drawing {
  let path = '';
  rows.forEach((row, y) => {
    let x = 0;
    while (x < row.length) {
      const start = x;
      while (row[x] === true) x++;
      if (x > start) path += `M${start} ${y}h${x - start}v1H${start}z`;
      else x++;
    }
  });
  return { size: rows.length, path };
}
