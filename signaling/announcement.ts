// What the relay prints when it is ready.

import { encodeQR } from 'qr';
import type { Relay } from './relay.ts';

/** For programs: one line. */
export function jsonAnnouncement(relay: Relay): string {
  return JSON.stringify({ app: relay.app, lan: relay.lan });
}

/** For people; `isTerminal` tells whether colours mean something where it is printed. */
export function announcement(relay: Relay, isTerminal: boolean): string {
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
    `\n${qrCode(first, isTerminal)}\n\n`,
    '  Scan it with a phone on the same network. Its browser will warn about the certificate, because no\n',
    '  company vouches for machines at home: this relay vouches for itself. Continuing is safe on your own network.\n',
    `  Certificate authority (SHA-256): ${relay.authorityFingerprint}\n\n`,
    end,
  ].join('');
}

/** Two rows of modules a line. White on black whatever the terminal's colours: not every camera reads it inverted. */
function qrCode(text: string, isTerminal: boolean): string {
  const lines = encodeQR(text, 'ascii', { border: 2 }).trimEnd().split('\n');
  return lines.map((line) => (isTerminal ? `  \u001B[97;40m${line}\u001B[0m` : `  ${line}`)).join('\n');
}
