// The invite, to be scanned, copied or read out.

import { encodeQR } from 'qr';
import { useMemo } from 'preact/hooks';
import { CopyField } from '../parts/copy-field.tsx';
import { Dialog } from '../parts/dialog.tsx';
import { isLoopback } from '../route.ts';

interface InviteDialogProps {
  readonly invite: string;
  readonly onClose: () => void;
}

export function InviteDialog({ invite, onClose }: InviteDialogProps) {
  return (
    <Dialog title="Invite a device" onClose={onClose}>
      <p>
        Scan this with the other device’s camera, or open the link on it. Both must be on the same network.
      </p>
      <QrCode text={invite} />
      {isLoopback(location.hostname) ? (
        <p class="message warning" role="note">
          Other devices cannot reach “{location.hostname}”. Open Palm here at the network address that the
          relay printed when it started, and invite from there.
        </p>
      ) : null}
      <CopyField label="Invite link" text={invite} />
      <p class="hint">
        Whoever has this link can join, and read and remove the pool’s files. Share it only with people you
        trust.
      </p>
    </Dialog>
  );
}

/** Dark modules on a light ground in both themes: many cameras read nothing else. */
function QrCode({ text }: { readonly text: string }) {
  const { size, path } = useMemo(() => drawing(encodeQR(text, 'raw', { ecc: 'medium', border: 4 })), [text]);
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label="QR code of the invite"
      shape-rendering="crispEdges"
    >
      <path class="qr-ground" d={`M0 0h${size}v${size}H0z`} />
      <path class="qr-modules" d={path} />
    </svg>
  );
}

/** One path with a horizontal run for each stretch of dark modules; `size` in modules. */
function drawing(rows: readonly (readonly boolean[])[]): { readonly size: number; readonly path: string } {
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
