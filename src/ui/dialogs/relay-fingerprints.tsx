// How a newcomer's device can tell this relay from an impostor: the fingerprints that the invite shows next
// to its code. The newcomer compares them with the certificate that its own browser or system shows, never
// with what a page says.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { FINGERPRINTS_PATH } from '../../core/model/relay-paths.ts';
import { askRelay, lastAnswer } from '../state/relay-answers.ts';
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

/** The fingerprints from this page's relay; undefined if it has none, or has never said. */
function useFingerprints(): Fingerprints | undefined {
  const fingerprints = useSignal(fingerprintsIn(lastAnswer(FINGERPRINTS_PATH)));
  useEffect(() => {
    const asking = new AbortController();
    askRelay(FINGERPRINTS_PATH, asking.signal).then(
      (answer) => (fingerprints.value = fingerprintsIn(answer)),
      // The dialog was closed.
      () => undefined,
    );
    return () => asking.abort();
  }, []);
  return fingerprints.value;
}

function fingerprintsIn(answer: unknown): Fingerprints | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined;
  const fields = new Map<string, unknown>(Object.entries(answer));
  const [certificate, authority] = [fields.get('certificate'), fields.get('authority')];
  if (!isFingerprint(certificate)) return undefined;
  return { certificate, authority: isFingerprint(authority) ? authority : null };
}

function isFingerprint(value: unknown): value is string {
  return typeof value === 'string' && FINGERPRINT.test(value);
}
