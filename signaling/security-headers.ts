// The headers of every answer: what a page of this relay may load and do. Nothing from elsewhere, no inline
// script, no framing, no device except the camera (for scanning invites).

import { createHash } from 'node:crypto';
import type { Host } from './host.ts';

/**
 * Headers of the app. `host` is the host that the browser believes it talks to; `secure` means over https.
 * `named`: the relay's own origin by its name, if the page may ask whether it leads here.
 */
export function appHeaders(host: Host, secure: boolean, named?: string): Record<string, string> {
  const headers = withPolicy([
    "default-src 'none'",
    "script-src 'self' 'wasm-unsafe-eval'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "font-src 'self'",
    `connect-src 'self'${socketSource(host, secure)}${named === undefined ? '' : ` ${named}`}`,
    // The page keeps its workers' scripts in memory, for when this relay is gone (docs/decisions/0028).
    "worker-src 'self' blob:",
    "manifest-src 'self'",
    "media-src 'self' blob:",
  ]);
  return { ...headers, 'Cross-Origin-Opener-Policy': 'same-origin' };
}

/**
 * Headers of a page whose only inline style sheet is `style`, and whose only script, if it has one, is
 * `script`. It is served over plain http, where browsers complain about an opener policy.
 */
export function plainPageHeaders(
  style: string,
  active?: { readonly script: string; readonly connectsTo: readonly string[] },
): Record<string, string> {
  const policy = ["default-src 'none'", `style-src '${hashOf(style)}'`];
  if (active === undefined) return withPolicy(policy);
  // CSP 3 cannot name an IPv6 address: there the script only finds that nothing answers.
  const origins = active.connectsTo.filter((origin) => !origin.includes('['));
  return withPolicy([
    ...policy,
    `script-src '${hashOf(active.script)}'`,
    `connect-src ${["'self'", ...origins].join(' ')}`,
  ]);
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}

function withPolicy(directives: readonly string[]): Record<string, string> {
  const closed = ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"];
  return {
    'Content-Security-Policy': [...directives, ...closed].join('; '),
    'Cross-Origin-Embedder-Policy': 'require-corp',
    'Cross-Origin-Resource-Policy': 'same-origin',
    'Permissions-Policy': PERMISSIONS_POLICY,
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  };
}

/**
 * Safari does not count WebSockets to the same host as 'self'. A host source cannot name an IPv6 address (CSP
 * 3, section 2.3.1); there 'self' must do.
 */
function socketSource(host: Host, secure: boolean): string {
  if (host.name.startsWith('[')) return '';
  return ` ${secure ? 'wss' : 'ws'}://${host.authority}`;
}

/** Features that a page has by default: those that Palm uses are `self`, the rest are off. */
const PERMISSIONS_POLICY = [
  ...[
    'camera',
    'clipboard-write',
    'fullscreen',
    'picture-in-picture',
    'publickey-credentials-create',
    'publickey-credentials-get',
    'screen-wake-lock',
  ].map((name) => `${name}=(self)`),
  ...[
    'accelerometer',
    'autoplay',
    'clipboard-read',
    'display-capture',
    'encrypted-media',
    'geolocation',
    'gyroscope',
    'hid',
    'magnetometer',
    'microphone',
    'midi',
    'payment',
    'serial',
    'usb',
    'xr-spatial-tracking',
  ].map((name) => `${name}=()`),
].join(', ');
