// Adding files: pickers for files and folders, and the choice to keep them private.

import type { Signal } from '@preact/signals';
import { FolderIcon, PlusIcon } from '../parts/icons.tsx';
import type { Added } from '../state/added.ts';
import { pickedFiles } from '../state/dropped-files.ts';
import { words } from '../text/words.ts';

interface AddPanelProps {
  readonly isPrivate: Signal<boolean>;
  readonly onAdd: (added: Added) => void;
}

const CAN_PICK_FOLDERS = 'webkitdirectory' in HTMLInputElement.prototype;

export function AddPanel({ isPrivate, onAdd }: AddPanelProps) {
  const take = (input: HTMLInputElement): void => {
    if (input.files !== null) onAdd(pickedFiles(input.files));
    // The same file can be picked again.
    input.value = '';
  };
  return (
    <div class="add-panel">
      <div class="add-buttons">
        <label class="button primary file-button">
          <PlusIcon />
          <span>{words.pool.addFiles}</span>
          <input type="file" multiple onChange={(event) => take(event.currentTarget)} />
        </label>
        {CAN_PICK_FOLDERS ? (
          <label class="button file-button">
            <FolderIcon />
            <span>{words.pool.addFolder}</span>
            <input type="file" ref={pickFolders} onChange={(event) => take(event.currentTarget)} />
          </label>
        ) : null}
      </div>
      <label class="check">
        <input
          type="checkbox"
          checked={isPrivate.value}
          onChange={(event) => {
            isPrivate.value = event.currentTarget.checked;
          }}
        />
        <span>{words.pool.keepPrivate}</span>
      </label>
      <p class="drop-hint">{words.pool.howToDrop}</p>
    </div>
  );
}

/** By property: JSX does not know the attribute. */
function pickFolders(input: HTMLInputElement | null): void {
  if (input !== null) input.webkitdirectory = true;
}
