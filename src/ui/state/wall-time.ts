// The wall clock for words such as "Gone for 3 days", which go on while nothing else changes.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

/** What time it is, ms since the Unix epoch, at most `everyMs` late. */
export function useWallMs(everyMs: number): number {
  const nowMs = useSignal(Date.now());
  useEffect(() => {
    nowMs.value = Date.now();
    const timer = setInterval(() => (nowMs.value = Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  // Whatever else redraws it shows the time as it is then.
  return Math.max(nowMs.value, Date.now());
}
