// The bottom of the window: failures, until they are dismissed; passing messages; the undo of a removal. The
// latter two are polite live regions that are always there, so that screen readers hear the change.

import { useEffect } from 'preact/hooks';
import { AlertMessages } from './messages.tsx';
import { shownName } from '../text/file-name.ts';
import { en } from '../text/en.ts';
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
  return (
    <div class="toasts">
      <AlertMessages />
      <div role="status">{text === '' ? null : <p class="toast">{text}</p>}</div>
      <div role="status">
        {first === undefined ? null : (
          <div class="toast">
            <p>
              {undoable.length === 1
                ? en.messages.removed(shownName(first.name))
                : en.messages.removedMany(undoable.length)}
            </p>
            <button type="button" class="button" onClick={() => removals.undo()}>
              Undo
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
