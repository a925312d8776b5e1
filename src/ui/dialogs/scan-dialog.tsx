// Scans an invite's QR code with the camera.

import { Dialog } from '../parts/dialog.tsx';
import { inviteIn } from '../route.ts';
import { words } from '../text/words.ts';
import { Scanner } from './scanner.tsx';

interface ScanDialogProps {
  readonly onClose: () => void;
  readonly onInvite: (invite: string) => void;
}

export function ScanDialog({ onClose, onInvite }: ScanDialogProps) {
  return (
    <Dialog title={words.scan.title} onClose={onClose}>
      <p>{words.scan.lead}</p>
      <Scanner
        onText={(text) => {
          const invite = inviteIn(text);
          if (invite === undefined) return words.camera.notAnInvite;
          onInvite(invite);
          return '';
        }}
      />
      <button type="button" class="button wide" onClick={onClose}>
        {words.common.cancel}
      </button>
    </Dialog>
  );
}
