// The page that someone gets who opens the plain http address from another device: the app cannot run there (a browser
// gives storage encryption, camera and service worker to secure pages only), so it leads to the https address.

import type { Host } from './host.ts';
import { plainPageHeaders } from './security-headers.ts';

/** Where the authority's certificate can be fetched. */
export const AUTHORITY_PATH = '/palm-ca.crt';

const STYLE = `
  :root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; }
  body { max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem; }
  a.open { display: inline-block; padding: 0.7rem 1.3rem; border-radius: 0.6rem; background: #17603f; color: #fff;
    text-decoration: none; font-weight: 600; }
  code { overflow-wrap: anywhere; }
  section { margin-top: 3rem; opacity: 0.85; font-size: 0.9375rem; }
`;

export const ONBOARDING_HEADERS = plainPageHeaders(STYLE);

/** The page; `httpsPort` is where the app is served, `fingerprint` the authority's. */
export function onboardingPage(host: Host, httpsPort: number, fingerprint: string): string {
  const address = `https://${host.name}:${httpsPort}/`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Palm: one more step</title>
<style>${STYLE}</style>
</head>
<body>
<h1>One more step</h1>
<p>Palm encrypts files on this device before they leave it. Browsers allow that only on a secure (https) address,
so Palm opens there.</p>
<p><a class="open" href="${address}">Open Palm</a></p>
<p>Your browser will say that it does not know the certificate. No company vouches for a machine on a home network, so
this one vouches for itself. If this is your network and your machine, choose to continue.</p>
<section>
<h2>Rather not see the warning?</h2>
<p>Install <a href="${AUTHORITY_PATH}" download>this relay's certificate</a> and trust it. It can vouch for this machine,
for names that end in .local and for bare addresses; it cannot stand in for any website.</p>
<p>Do it only if the fingerprint that your device shows is the one that the relay printed where it was started. It
should begin with <code>${fingerprint.slice(0, 23)}</code>.</p>
</section>
</body>
</html>
`;
}
