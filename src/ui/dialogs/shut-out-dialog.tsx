// Shuts a device out of the pool, once its person's admin has read what that means.

import { useDialogWork } from '../parts/dialog-work.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { words } from '../text/words.ts';

interface ShutOutDialogProps {
  readonly device: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
}

export function ShutOutDialog({ device, onClose }: ShutOutDialogProps) {
  const { palm } = usePage();
  const { isBusy, trouble, run } = useDialogWork();
  const shutOut = (): Promise<void> =>
    run(async () => {
      await palm.shutOut(device.id);
      onClose();
    });
  return (
    <Dialog title={words.roles.shutOutTitle} onClose={onClose}>
      <p>{words.roles.shutOutLead(<bdi>{shownDeviceName(device.name)}</bdi>)}</p>
      <p class="hint">{words.roles.shutOutLimits}</p>
      <Trouble text={trouble.value} />
      <div class="dialog-actions">
        <button type="button" class="button" autofocus onClick={onClose}>
          {words.roles.keepIn}
        </button>
        <button type="button" class="button danger" disabled={isBusy.value} onClick={() => void shutOut()}>
          {isBusy.value ? words.roles.shuttingOut : words.roles.shutOut}
        </button>
      </div>
    </Dialog>
  );
}
