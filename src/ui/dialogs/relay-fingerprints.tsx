// How a newcomer's device can tell this relay from an impostor: the fingerprints that the invite shows next
// to its code. The newcomer compares them with the certificate that its own browser or system shows, never
// with what a page says.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { words } from '../text/words.ts';

interface Fingerprints {
  readonly certificate: string;
  /** Null when an authority other than the relay's own vouches for it: then no device warns. */
  readonly authority: string | null;
}

/** Eight groups of four hex digits: the first 128 bits of a SHA-256 (FORMATS.md). */
const FINGERPRINT = /^[0-9A-F]{4}( [0-9A-F]{4}){7}$/;

export function RelayFingerprints() {
  const fingerprints = useFingerprints();
  if (fingerprints === undefined || fingerprints.authority === null) return null;
  return (
    <section class="stack" aria-label={words.fingerprints.label}>
      <p class="hint">{words.fingerprints.compare}</p>
      <p>{words.fingerprints.certificate(<code>{fingerprints.certificate}</code>)}</p>
      <p>{words.fingerprints.authority(<code>{fingerprints.authority}</code>)}</p>
      <p class="hint">{words.fingerprints.source}</p>
    </section>
  );
}

/** The fingerprints from this page's relay; undefined until it answers, and when it is gone or has none. */
function useFingerprints(): Fingerprints | undefined {
  const fingerprints = useSignal<Fingerprints | undefined>(undefined);
  useEffect(() => {
    const asking = new AbortController();
    fetchFingerprints(asking.signal).then(
      (answer) => (fingerprints.value = answer),
      // Without an answer there is nothing to compare; the invite works all the same.
      () => (fingerprints.value = undefined),
    );
    return () => asking.abort();
  }, []);
  return fingerprints.value;
}

async function fetchFingerprints(signal: AbortSignal): Promise<Fingerprints | undefined> {
  const response = await fetch('/fingerprints', { signal });
  const answer: unknown = response.ok ? await response.json() : undefined;
  if (typeof answer !== 'object' || answer === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(answer));
  const [certificate, authority] = [fields.get('certificate'), fields.get('authority')];
  if (!isFingerprint(certificate)) return undefined;
  return { certificate, authority: isFingerprint(authority) ? authority : null };
}

function isFingerprint(value: unknown): value is string {
  return typeof value === 'string' && FINGERPRINT.test(value);
}
