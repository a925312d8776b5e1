// What the relay prints when it is ready.

import { encodeQR } from 'qr';
import { FINGERPRINT_BITS } from './fingerprint.ts';
import type { Relay } from './relay.ts';

/** For programs: one line. */
export function jsonAnnouncement(relay: Relay): string {
  return JSON.stringify({ app: relay.app, lan: relay.lan });
}

/** For people; `isTerminal` tells whether the output shows colours. */
export function announcement(relay: Relay, isTerminal: boolean): string {
  return [
    `Palm is running.\n\n  On this machine:   ${relay.app}\n`,
    ...whereOthersOpen(relay, isTerminal),
    throughRelay(relay),
    'Ctrl-C stops it. Devices that are linked keep working without it.\n',
  ].join('');
}

const NO_NETWORK =
  '  This machine has no network now. Once it has, the address for other devices is printed here.\n';

/** For people, when the addresses or the certificate are others than those printed before. */
export function movedAnnouncement(relay: Relay, isTerminal: boolean): string {
  return [
    '\nThe relay’s addresses or certificate changed. Now:\n\n',
    ...whereOthersOpen(relay, isTerminal),
  ].join('');
}

function whereOthersOpen(relay: Relay, isTerminal: boolean): string[] {
  const [first] = relay.lan;
  const others = relay.lan.map(
    (url, index) => `  ${index === 0 ? 'On other devices:' : '              or:'}  ${url}\n`,
  );
  return [
    relay.awaitsNetwork ? NO_NETWORK : '',
    ...others,
    byName(relay),
    first === undefined ? '' : `\n${qrCode(first, isTerminal)}\n`,
    '\n',
    first === undefined ? '' : trust(relay),
    unvouched(relay),
  ];
}

/** The address to prefer: what a browser stores is bound to it. */
function byName({ named, httpPort, lan: [first] }: Relay): string {
  if (named === undefined || first === undefined) return '';
  const plain = `http://${new URL(first).hostname}:${httpPort}/`;
  return [
    `\n  By its own name:   ${named}\n`,
    '  The name stays when the address changes, and what a device keeps is bound to what it opened. Not every phone\n',
    `  finds such names: ${plain} looks whether yours does, and leads on.\n`,
  ].join('');
}

/** What happens where a guest Wi-Fi keeps devices apart. */
function throughRelay({ hasTurn, lan }: Relay): string {
  if (lan.length === 0) return '';
  if (hasTurn)
    return 'Devices that cannot reach each other are linked through this relay, which cannot read what passes.\n';
  return 'Devices that cannot reach each other (as on a guest Wi-Fi) are not linked: that needs coturn here\n(Debian, Ubuntu: apt install coturn; macOS: brew install coturn), and no --no-turn.\n';
}

/** The warning that a newcomer's device shows, and what to compare before accepting it. */
function trust({ certificate: { authority, certificateFingerprint } }: Relay): string {
  if (authority === undefined) {
    return [
      '  Scan it with a phone on the same network.\n\n',
      `  Certificate given by --cert, SHA-256, first ${FINGERPRINT_BITS} bits:\n    ${certificateFingerprint}\n\n`,
    ].join('');
  }
  return [
    '  Scan it with a phone on the same network. Its browser will warn about the certificate, because no company vouches\n',
    '  for machines at home: this relay vouches for itself. Somebody else on the network could answer in its place, and\n',
    '  would get the invite. So before you continue, or trust the authority, compare what the device shows of it with\n',
    `  this, the first ${FINGERPRINT_BITS} bits (32 digits) of the SHA-256 fingerprint:\n\n`,
    `  Certificate, as a browser’s warning shows it:   ${certificateFingerprint}\n`,
    `  Authority, as a device shows that installs it:  ${authority.fingerprint}\n\n`,
    replaced(authority.replacedFingerprint),
  ].join('');
}

function replaced(fingerprint: string | undefined): string {
  if (fingerprint === undefined) return '';
  return [
    '  This authority is new: the old one could vouch for any address, this one only for addresses of home networks.\n',
    '  Devices that trusted the old one will warn again. Trust the new one on them, and remove the old one:\n\n',
    `  Old authority:                                  ${fingerprint}\n\n`,
  ].join('');
}

/** What to do when the relay's certificate may not name this machine's addresses, because they are public. */
function unvouched({ unvouched: addresses, lan, certificate }: Relay): string {
  if (addresses.length === 0 || certificate.authority === undefined) return '';
  const [first] = lan;
  return [
    `  ${addresses.join(', ')}: the network gave this machine ${addresses.length === 1 ? 'an address' : 'addresses'} of the\n`,
    '  public internet, which the relay’s own authority must not vouch for.\n',
    first === undefined ? '' : `  Other devices open ${first}\n`,
    '  Where that does not open, get a certificate for a name of this machine and start the relay with\n',
    '    npm start -- --cert FILE --key FILE\n\n',
  ].join('');
}

/**
 * Two rows of modules a line. White on black whatever the terminal's colours: not every camera reads it
 * inverted.
 */
function qrCode(text: string, isTerminal: boolean): string {
  const lines = encodeQR(text, 'ascii', { border: 2 }).trimEnd().split('\n');
  return lines.map((line) => (isTerminal ? `  \u001B[97;40m${line}\u001B[0m` : `  ${line}`)).join('\n');
}
