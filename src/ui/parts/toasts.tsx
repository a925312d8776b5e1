// The bottom of the window: failures, until they are dismissed; passing messages; the undo of a removal. The
// latter two are polite live regions that are always there, so that screen readers hear the change.

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
  return (
    <div class="toasts">
      <AlertMessages />
      <div role="status">{text === '' ? null : <p class="toast">{text}</p>}</div>
      <div role="status">
        {first === undefined ? null : (
          <div class="toast">
            <p>
              {undoable.length === 1
                ? words.messages.removed(shownName(first.name))
                : words.messages.removedMany(undoable.length)}
            </p>
            <button type="button" class="button" onClick={() => removals.undo()}>
              {words.common.undo}
            </button>
          </div>
        )}
      </div>
    </div>
  );
}
