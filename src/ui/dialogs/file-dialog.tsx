// Gives a file another name, and says whether this device keeps more of it than its own share.

import { useSignal } from '@preact/signals';
import { useId } from 'preact/hooks';
import { MAX_NAME_BYTES } from '../../core/model/limits.ts';
import type { FileStatus } from '../../runtime/api.ts';
import { useDialogWork } from '../parts/dialog-work.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Field } from '../parts/field.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { explain } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';

interface FileDialogProps {
  readonly file: FileStatus;
  readonly onClose: () => void;
  /** The file has a name of another id now. */
  readonly onRenamed: (fileId: string) => void;
}

export function FileDialog({ file, onClose, onRenamed }: FileDialogProps) {
  const name = file.name === '' ? words.names.privateFile : shownName(file.name);
  return (
    <Dialog title={words.file.title(name)} onClose={onClose}>
      <div class="stack">
        {file.private ? (
          <p class="hint">{words.file.privateName}</p>
        ) : (
          <NameForm file={file} onClose={onClose} onRenamed={onRenamed} />
        )}
        {file.k > 1 ? <KeepHere file={file} /> : <p class="hint">{words.file.mirror}</p>}
      </div>
    </Dialog>
  );
}

function NameForm({ file, onClose, onRenamed }: FileDialogProps) {
  const { palm, said } = usePage();
  const name = useSignal(file.name);
  const { isBusy, trouble, run } = useDialogWork();
  const rename = async (): Promise<void> => {
    const wanted = name.value.trim();
    if (wanted === file.name) {
      onClose();
      return;
    }
    await run(async () => {
      const { fileId } = await palm.rename(file.fileId, wanted);
      said.value = words.file.renamed(shownName(wanted));
      onRenamed(fileId);
    });
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void rename();
      }}
    >
      <Trouble text={trouble.value} />
      <Field
        label={words.file.name}
        value={name}
        maxLength={MAX_NAME_BYTES}
        hint={words.file.nameHint}
        autofocus
      />
      <div class="dialog-actions">
        <button type="submit" class="button primary" disabled={isBusy.value}>
          {isBusy.value ? words.file.renaming : words.file.rename}
        </button>
      </div>
    </form>
  );
}

/** At once, as a switch does: the fragments follow. */
function KeepHere({ file }: { readonly file: FileStatus }) {
  const { palm, said } = usePage();
  const isBusy = useSignal(false);
  const trouble = useSignal('');
  const hintId = useId();
  const isKept = file.pinned === true;
  const change = async (): Promise<void> => {
    if (isBusy.value) return;
    isBusy.value = true;
    trouble.value = '';
    try {
      await (isKept ? palm.unpin(file.fileId) : palm.pin(file.fileId));
      said.value = isKept ? words.file.noLongerKept : words.file.kept;
    } catch (error) {
      trouble.value = explain(error);
    }
    isBusy.value = false;
  };
  const mostBytes = Math.ceil((file.size * (file.k - 1)) / file.k);
  return (
    <div>
      <Trouble text={trouble.value} />
      <label class="check">
        <input
          type="checkbox"
          checked={isKept}
          aria-describedby={hintId}
          aria-disabled={isBusy.value}
          onClick={(event) => {
            // It shows what is so, not what was asked for.
            event.preventDefault();
            void change();
          }}
        />
        <span>{words.file.keepHere}</span>
      </label>
      <p id={hintId} class="hint">
        {words.file.whyKeep(words.units.bytes(mostBytes))}
      </p>
    </div>
  );
}
