// The invite, to be scanned, copied or read aloud.

import { useSignal } from '@preact/signals';
import { encodeQR } from 'qr';
import { useEffect } from 'preact/hooks';
import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { isLoopback } from '../route.ts';
import { RelayFingerprints } from './relay-fingerprints.tsx';
import { LAN_PATH } from '../../core/model/relay-paths.ts';
import { askRelay, lastAnswer } from '../state/relay-answers.ts';
import { words } from '../text/words.ts';

interface InviteDialogProps {
  readonly invite: string;
  readonly onClose: () => void;
}

export function InviteDialog({ invite, onClose }: InviteDialogProps) {
  const isLocal = isLoopback(location.hostname);
  const lanUrl = useLanUrl(isLocal);
  // Other devices use another address; the part after the #, which is the invite itself, is the same.
  const scanned = lanUrl === undefined ? invite : `${lanUrl}${new URL(invite).hash}`;
  return (
    <Dialog title={words.invite.title} onClose={onClose}>
      <p>{words.invite.lead}</p>
      <QrCode text={scanned} />
      <RelayFingerprints />
      {isLocal ? <LocalNote lanUrl={lanUrl} /> : null}
      <CopyField label={words.common.inviteLink} text={invite} />
      {lanUrl === undefined ? null : <CopyField label={words.invite.linkForOthers} text={scanned} />}
      <p class="hint">{words.invite.whoHasIt}</p>
    </Dialog>
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

/** Dark modules on a light ground in both themes: many cameras read nothing else. */
function QrCode({ text }: { readonly text: string }) {
  const drawn = useSignal<Drawing>({ size: 1, path: '' });
  useEffect(() => {
    // Once the dialog is painted: on a slow phone the code takes as long as a tap may.
    const timer = setTimeout(() => {
      drawn.value = drawing(encodeQR(text, 'raw', { ecc: 'medium', border: 4 }));
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
