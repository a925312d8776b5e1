// Gives this device another name.

import { useSignal } from '@preact/signals';
import { MAX_DEVICE_NAME_BYTES } from '../../core/model/limits.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { explain } from '../text/explain.ts';
import { usePage } from '../state/page.ts';
import { words } from '../text/words.ts';

export function RenameDialog({ onClose }: { readonly onClose: () => void }) {
  const { palm, status } = usePage();
  const name = useSignal(status.value.device.name);
  const trouble = useSignal('');
  const rename = async (): Promise<void> => {
    try {
      await palm.setDeviceName(name.value.trim());
      onClose();
    } catch (error) {
      trouble.value = explain(error);
    }
  };
  return (
    <Dialog title={words.rename.title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void rename();
        }}
      >
        <Trouble text={trouble.value} />
        <Field label={words.common.deviceName} value={name} maxLength={MAX_DEVICE_NAME_BYTES} autofocus />
        <div class="dialog-actions">
          <button type="submit" class="button primary">
            {words.rename.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
