// Opens a private file with its link.

import { useSignal } from '@preact/signals';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { MAX_PASTED_CHARS } from '../../core/model/limits.ts';
import { explain } from '../text/explain.ts';
import { usePage } from '../state/page.ts';
import { words } from '../text/words.ts';

export function OpenLinkDialog({ onClose }: { readonly onClose: () => void }) {
  const { palm } = usePage();
  const link = useSignal('');
  const opening = useSignal(false);
  const trouble = useSignal('');
  const open = async (): Promise<void> => {
    opening.value = true;
    try {
      await palm.openLink(link.value.trim());
      onClose();
    } catch (error) {
      trouble.value = explain(error);
    } finally {
      opening.value = false;
    }
  };
  return (
    <Dialog title={words.openLink.title} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void open();
        }}
      >
        <p>{words.openLink.lead}</p>
        <Trouble text={trouble.value} />
        <Field label={words.openLink.link} value={link} maxLength={MAX_PASTED_CHARS} link autofocus />
        <div class="dialog-actions">
          <button type="submit" class="button primary" disabled={opening.value}>
            {opening.value ? words.openLink.opening : words.openLink.open}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
