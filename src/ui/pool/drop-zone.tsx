// The whole window takes dropped files and folders, and says so while they hover.

import { useSignal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { Added } from '../state/added.ts';
import { droppedFiles } from '../state/dropped-files.ts';
import { carriesFiles } from '../state/stray-drops.ts';
import { words } from '../text/words.ts';

interface DropZoneProps {
  readonly poolName: string;
  readonly onAdd: (added: Added) => void;
}

export function DropZone({ poolName, onAdd }: DropZoneProps) {
  const hovering = useSignal(false);
  const add = useRef(onAdd);
  add.current = onAdd;
  // Together with the screen that invites to drop, not a frame after it.
  useLayoutEffect(() => {
    const listening = new AbortController();
    const options = { signal: listening.signal };
    const over = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      hovering.value = true;
    };
    const out = (event: DragEvent): void => {
      // Without a related target the pointer left the window itself, not one element for another.
      if (event.relatedTarget === null) hovering.value = false;
    };
    const drop = (event: DragEvent): void => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      hovering.value = false;
      // It rejects for bugs only, which the page reports.
      void droppedFiles(event.dataTransfer).then((added) => add.current(added));
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
