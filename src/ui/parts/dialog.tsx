// A modal dialog on the native element, which keeps the focus inside and makes the rest inert. It is open
// while it is rendered, and returns the focus to the element that opened it.

import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef } from 'preact/hooks';
import { CloseIcon } from './icons.tsx';
import { words } from '../text/words.ts';

interface DialogProps {
  readonly title: string;
  /** The person wants it closed: the close button, Escape or a press outside it. */
  readonly onClose: () => void;
  /** Only the dialog's own buttons close it, because closing would lose something. */
  readonly insistent?: boolean;
  /** It has a list to read. */
  readonly wide?: boolean;
  readonly children: ComponentChildren;
}

export function Dialog({ title, onClose, insistent = false, wide = false, children }: DialogProps) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const dialog = ref.current;
    const opener = document.activeElement;
    dialog?.showModal();
    return () => {
      dialog?.close();
      // The element returns the focus only while it is in the page, and it may have been removed already.
      if (opener instanceof HTMLElement) opener.focus();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={wide ? 'dialog wide' : 'dialog'}
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
            <button
              type="button"
              class="button icon-only quiet"
              aria-label={words.common.close}
              onClick={onClose}
            >
              <CloseIcon />
            </button>
          )}
        </header>
        {children}
      </div>
    </dialog>
  );
}
