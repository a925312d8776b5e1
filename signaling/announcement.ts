// What the relay prints when it is ready.

import { encodeQR } from 'qr';
import type { Relay } from './relay.ts';

/** For programs: one line. */
export function jsonAnnouncement(relay: Relay): string {
  return JSON.stringify({ app: relay.app, lan: relay.lan });
}

/** For people. */
export function announcement(relay: Relay): string {
  const [first] = relay.lan;
  const here = `Palm is running.\n\n  On this machine:   ${relay.app}\n`;
  const end = 'Ctrl-C stops it. Devices that have found each other go on without it.\n';
  if (first === undefined) return `${here}\n${end}`;
  const others = relay.lan.map(
    (url, index) => `  ${index === 0 ? 'On other devices:' : '              or:'}  ${url}\n`,
  );
  return [
    here,
    ...others,
    `\n${indented(encodeQR(first, 'ascii', { border: 2 }))}\n`,
    '  Scan it with a phone on the same network. Its browser will warn about the certificate, because no\n',
    '  company vouches for machines at home: this relay vouches for itself. Continuing is safe on your own network.\n',
    `  Certificate authority (SHA-256): ${relay.authorityFingerprint}\n\n`,
    end,
  ].join('');
}

function indented(text: string): string {
  return text.trimEnd().replaceAll(/^/gm, '  ');
}
