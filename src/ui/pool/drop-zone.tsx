// The whole window takes dropped files and folders, and says so while they hover.

import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { droppedFiles } from '../state/dropped-files.ts';
import type { AddedFile } from '../state/store-queue.ts';
import { words } from '../text/words.ts';

interface DropZoneProps {
  readonly poolName: string;
  readonly onAdd: (added: readonly AddedFile[]) => void;
  readonly onFailed: (error: unknown) => void;
}

export function DropZone({ poolName, onAdd, onFailed }: DropZoneProps) {
  const hovering = useSignal(false);
  const props = useRef({ onAdd, onFailed });
  props.current = { onAdd, onFailed };
  useEffect(() => {
    const listening = new AbortController();
    const options = { signal: listening.signal };
    const over = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      hovering.value = true;
    };
    const out = (event: DragEvent): void => {
      // Without a related target the pointer left the window itself, not one element for another.
      if (event.relatedTarget === null) hovering.value = false;
    };
    const drop = (event: DragEvent): void => {
      if (!carriesFiles(event) || event.dataTransfer === null) return;
      event.preventDefault();
      hovering.value = false;
      droppedFiles(event.dataTransfer).then(
        (added) => props.current.onAdd(added),
        (error: unknown) => props.current.onFailed(error),
      );
    };
    window.addEventListener('dragover', over, options);
    window.addEventListener('dragleave', out, options);
    window.addEventListener('drop', drop, options);
    return () => listening.abort();
  }, [hovering]);
  if (!hovering.value) return null;
  return (
    <div class="drop-zone" aria-hidden="true">
      <p>{words.pool.dropHere(<bdi>{poolName}</bdi>)}</p>
    </div>
  );
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes('Files') === true;
}
