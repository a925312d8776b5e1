// How a newcomer's device can tell this relay from an impostor: the fingerprints that the invite shows next
// to its code. The newcomer compares them with the certificate that its own browser or system shows, never
// with what a page says.

import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

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
    <section class="stack" aria-label="Fingerprints of this relay">
      <p class="hint">
        The other device warns about the certificate. Somebody else on the network could answer in the relay’s
        place, and would get this invite. So before anybody continues past the warning, or trusts the
        authority, compare the SHA-256 fingerprint that the warning or the system shows there: it must begin
        with these 32 digits (128 bits).
      </p>
      <Fingerprint label="Certificate, in the browser’s warning" text={fingerprints.certificate} />
      <Fingerprint label="Authority, when it is installed" text={fingerprints.authority} />
      <p class="hint">
        This device has them from the relay. The terminal where the relay was started prints the same.
      </p>
    </section>
  );
}

function Fingerprint({ label, text }: { readonly label: string; readonly text: string }) {
  return (
    <p>
      {label}: <code>{text}</code>
    </p>
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
