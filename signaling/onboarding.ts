// The page for somebody who opens the plain http address on another device. The app cannot run there
// (browsers give cryptography, camera and service worker only to secure pages), so it leads to the https
// address.

import type { OwnAuthority, ServerCertificate } from './certificate-store.ts';
import { FINGERPRINT_BITS } from './fingerprint.ts';
import type { Host } from './host.ts';
import { ONBOARDING_SCRIPT } from './onboarding-script.ts';
import { plainPageHeaders } from './security-headers.ts';
import { PLATFORMS, type Platform } from './trust/platforms.ts';
import { TRUST_STEPS } from './trust/trust-steps.ts';

const STYLE = `
  :root { color-scheme: light dark; font: 1.0625rem/1.5 system-ui, sans-serif; }
  body { max-width: 34rem; margin: 12vh auto; padding: 0 1.25rem; }
  a.open { display: inline-block; padding: 0.7rem 1.3rem; border-radius: 0.6rem; background: #17603f; color: #fff;
    text-decoration: none; font-weight: 600; }
  code { overflow-wrap: anywhere; }
  section { margin-top: 3rem; font-size: 0.9375rem; }
  details { margin: 0.5rem 0; border: 1px solid #8886; border-radius: 0.6rem; padding: 0.4rem 0.9rem; }
  summary { cursor: pointer; padding: 0.4rem 0; font-weight: 600; }
  ol { padding-left: 1.4rem; }
  li { margin-bottom: 1.2rem; }
  svg { display: block; max-width: 100%; height: auto; font: 12px system-ui, sans-serif; }
  .frame { fill: none; stroke: #888; stroke-width: 1.5; }
  .quiet { fill: #8882; }
  .soft { fill: #8888; }
  .chosen { fill: #2f9e6b33; stroke: #2f9e6b; stroke-width: 1.5; }
  .strong { fill: #17603f; }
  .word, .title { fill: currentColor; }
  .title { font-weight: 600; }
  .on-strong, .knob { fill: #fff; }
  .line { fill: none; stroke: #888; stroke-width: 1.5; }
  .tick { fill: none; stroke: #fff; stroke-width: 2; }
`;

/** Of pages without a script. */
export const PLAIN_HEADERS = plainPageHeaders(STYLE);

/** Where the app may be opened from the onboarding page: origins, without a slash at the end. */
export interface WaysIn {
  /** The https port at what the visitor opened. */
  readonly address: string;
  /** The https and the http port at the relay's own name; undefined while nothing answers to it. */
  readonly named: { readonly secure: string; readonly plain: string } | undefined;
}

/** `httpsPort` is where the app is served; `localName` is the relay's own name. */
export function waysIn(host: Host, httpsPort: number, localName: string | undefined): WaysIn {
  const httpPort = host.authority.slice(host.name.length);
  return {
    address: `https://${host.name}:${httpsPort}`,
    named:
      localName === undefined
        ? undefined
        : { secure: `https://${localName}:${httpsPort}`, plain: `http://${localName}${httpPort}` },
  };
}

export function onboardingHeaders({ address, named }: WaysIn): Record<string, string> {
  const origins = named === undefined ? [address] : [address, named.secure, named.plain];
  return plainPageHeaders(STYLE, { script: ONBOARDING_SCRIPT, connectsTo: origins });
}

export function onboardingPage(
  { address, named }: WaysIn,
  { certificateFingerprint, authority }: Pick<ServerCertificate, 'certificateFingerprint' | 'authority'>,
  platform: Platform,
): string {
  const data = named === undefined ? '' : ` data-named="${named.secure}" data-plain="${named.plain}"`;
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
<p><a class="open" href="${address}/" data-address="${address}"${data}>Open Palm</a></p>
${named === undefined ? '' : whichOrigin(new URL(address).hostname, new URL(named.secure).hostname)}${authority === undefined ? '' : warning(certificateFingerprint, authority, platform)}<script>${ONBOARDING_SCRIPT}</script>
</body>
</html>
`;
}

/** Browsers keep what a page stores by its origin; the script shows what holds for this one. */
function whichOrigin(address: string, name: string): string {
  return `<p id="by-name" hidden>Palm opens as <code>${name}</code>: this relay’s own name, which stays when its address changes.</p>
<p id="by-address" hidden>This browser does not find <code>${name}</code>, so Palm opens at <code>${address}</code>. What this device keeps
is bound to that address. If the machine gets another, this device starts empty there: give the machine a fixed address (routers call
it a DHCP reservation).</p>
`;
}

/** The page for somebody whom the app sent here because it could not reach the relay. */
export function reachedPage(): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>The relay answers</title>
<style>${STYLE}</style>
</head>
<body>
<h1>The relay answers</h1>
<p>It runs, and this browser accepts its certificate. Close this tab and go back to Palm: it connects within seconds.</p>
</body>
</html>
`;
}

function warning(certificateFingerprint: string, authority: OwnAuthority, platform: Platform): string {
  return `<p>Your browser will say that it does not know the certificate. No company vouches for a machine on a home network, so
this one vouches for itself.</p>
<section>
<h2>Before you continue past the warning</h2>
<p>Somebody else on this network could answer in the relay’s place. Anybody who clicks through then hands them the invite, and with it the pool. So look at the certificate in the warning. Its SHA-256 fingerprint must begin with the
digits that <strong>the relay printed where it was started</strong>, or that the device that invites you shows beside the code.</p>
<p>This page says <code>${certificateFingerprint}</code>. That alone proves nothing: this page came without encryption,
and could come from the same stranger. Compare with the other screen.</p>
</section>
<section>
<h2>Rather not see the warning?</h2>
<p>Trust this relay’s certificate authority once. Then Palm can also be installed on the home screen, and it opens while the relay is
off. Without it Palm works in this browser all the same, but does neither.</p>
<p>Do it only if the fingerprint that your device shows begins as on the other screen. This page says
<code>${authority.fingerprint}</code>. What is compared are the first ${FINGERPRINT_BITS} bits, 32 digits: too many for anybody to make
another certificate that begins alike. The authority can vouch for this machine, for names that end in .local and for addresses of home
networks; it cannot stand in for any website.</p>
${[...new Set([platform, ...PLATFORMS])].map((each) => trustSteps(each, each === platform)).join('')}<p id="goes-on" hidden>This page looks every two seconds, and goes on by itself once the relay is trusted.</p>
</section>
${replaced(authority.replacedFingerprint)}`;
}

function trustSteps(platform: Platform, isOpen: boolean): string {
  const { name, steps, note } = TRUST_STEPS[platform];
  const items = steps.map(({ text, picture }) => `<li><p>${text}</p>${picture}</li>`).join('\n');
  return `<details id="on-${platform}"${isOpen ? ' open' : ''}><summary>${name}</summary>
<ol>
${items}
</ol>
${note === '' ? '' : `<p>${note}</p>\n`}</details>
`;
}

function replaced(fingerprint: string | undefined): string {
  if (fingerprint === undefined) return '';
  return `<section>
<h2>Did you trust this relay before?</h2>
<p>Its authority is new: the old one could vouch for any address. Please trust the new one after you compared it
as above, and remove the old one from this device: <code>${fingerprint}</code>.</p>
</section>
`;
}
