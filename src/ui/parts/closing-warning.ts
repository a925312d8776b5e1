// The browser asks before this page is closed while something would be lost with it.

import { useEffect } from 'preact/hooks';

export function useWarningBeforeClosing(atStake: boolean): void {
  useEffect(() => {
    if (!atStake) return undefined;
    const ask = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener('beforeunload', ask);
    return () => window.removeEventListener('beforeunload', ask);
  }, [atStake]);
}
