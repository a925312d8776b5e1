// A modal dialog on the native element, which keeps the focus inside, makes the rest inert and gives the focus back to
// what opened it. It is open as long as it is rendered.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { CloseIcon } from './icons.tsx';

interface DialogProps {
  readonly title: string;
  /** The person wants it closed: the close button, Escape or a press beside it. */
  readonly onClose: () => void;
  /** Only the dialog's own buttons close it: for what would be lost with it. */
  readonly insistent?: boolean;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, insistent = false, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    dialog?.showModal();
    return () => dialog?.close();
  }, []);
  return (
    <dialog
      ref={ref}
      class="dialog"
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        if (!insistent && event.target === event.currentTarget) onClose();
      }}
      onPointerDown={(event) => {
        if (!insistent && event.target === event.currentTarget) onClose();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={titleId}>{title}</h2>
          {insistent ? null : (
            <button type="button" class="button icon-only quiet" aria-label="Close" onClick={onClose}>
              <CloseIcon />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}
