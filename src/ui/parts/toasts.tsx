// The bottom of the window: failures, until they are dismissed; passing messages; the undo of a removal. The
// latter two are polite live regions that are always there, so that screen readers hear the change. With a
// keyboard the undo is many stops away from the row that was removed: Control+Z, or Command+Z, does it too.

import { useEffect } from 'preact/hooks';
import { AlertMessages } from './messages.tsx';
import { shownName } from '../text/file-name.ts';
import { words } from '../text/words.ts';
import { usePage } from '../state/page.ts';

/** Long enough to read a short sentence. */
const SAID_MS = 5_000;

export function Toasts() {
  const { removals, said } = usePage();
  const text = said.value;
  useEffect(() => {
    if (text === '') return undefined;
    const timer = setTimeout(() => {
      said.value = '';
    }, SAID_MS);
    return () => clearTimeout(timer);
  }, [text, said]);
  const undoable = removals.undoable.value;
  const [first] = undoable;
  const canUndo = first !== undefined;
  useEffect(() => {
    if (!canUndo) return undefined;
    const onKey = (event: KeyboardEvent): void => {
      const { target, key, ctrlKey, metaKey, shiftKey, altKey } = event;
      if (key.toLowerCase() !== 'z' || !(ctrlKey || metaKey) || shiftKey || altKey) return;
      // There it takes back what was typed.
      if (target instanceof HTMLInputElement) return;
      event.preventDefault();
      removals.undo();
    };
    window.addEventListener('keydown', onKey);
    return () => window.removeEventListener('keydown', onKey);
  }, [canUndo, removals]);
  return (
    <div class="toasts">
      <AlertMessages />
      <div role="status">{text === '' ? null : <p class="toast">{text}</p>}</div>
      <div role="status">
        {first === undefined ? null : (
          <div
            class="toast"
            onPointerEnter={() => removals.hold(true)}
            onPointerLeave={({ currentTarget }) => removals.hold(currentTarget.matches(':focus-within'))}
            onFocusIn={() => removals.hold(true)}
            onFocusOut={({ currentTarget }) => removals.hold(currentTarget.matches(':hover'))}
          >
            <p>
              {undoable.length === 1
                ? words.messages.removed(shownName(first.name))
                : words.messages.removedMany(undoable.length)}
            </p>
            <button
              type="button"
              class="button"
              aria-keyshortcuts="Control+Z Meta+Z"
              onClick={() => removals.undo()}
            >
              {words.common.undo}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
