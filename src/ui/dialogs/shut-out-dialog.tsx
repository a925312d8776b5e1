// Shuts a device out of the pool, once its person's admin has read what that means.

import { useSignal } from '@preact/signals';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

interface ShutOutDialogProps {
  readonly device: { readonly id: string; readonly name: string };
  readonly onClose: () => void;
}

export function ShutOutDialog({ device, onClose }: ShutOutDialogProps) {
  const { palm } = usePage();
  const isBusy = useSignal(false);
  const trouble = useSignal('');
  const shutOut = async (): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      await palm.shutOut(device.id);
      onClose();
    } catch (error) {
      trouble.value = explain(error);
      isBusy.value = false;
    }
  };
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
