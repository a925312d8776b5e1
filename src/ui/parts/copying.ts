// Copying text for the person.

import { words } from '../text/words.ts';

/** Browsers answer within moments, unless they ask the person. */
const ANSWER_WITHIN_MS = 1_000;

/** Copies `text`, or selects it where there is no clipboard. Returns what to tell the person. */
export async function copyOrSelect(text: string, select: () => void): Promise<string> {
  if (await copyText(text)) return words.messages.copied;
  select();
  return words.messages.selected;
}

/** Whether the clipboard took it: it may be absent, refuse without permission, or ask and get no answer. */
async function copyText(text: string): Promise<boolean> {
  const clipboard: Clipboard | undefined = navigator.clipboard;
  if (clipboard === undefined) return false;
  const unanswered = new Promise<false>((resolve) => setTimeout(() => resolve(false), ANSWER_WITHIN_MS));
  try {
    return await Promise.race([clipboard.writeText(text).then(() => true), unanswered]);
  } catch {
    // Refused: the person copies by hand, and is told so.
    return false;
  }
}
