// What somebody asked their relay to be called, by --name: a name that this network finds by mDNS, or one of
// a domain of theirs.

import { isIP } from 'node:net';
import { domainToASCII } from 'node:url';
import { isLocalName, MAX_NAME_LABEL_LENGTH } from '../src/core/model/relay-name.ts';
import { StartError } from './start-error.ts';

const DOMAIN =
  /^(?=.{1,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/u;

/**
 * The name in lower case; `kitchen` is `kitchen.local`. `isGiven`: the certificate is one of --cert, which
 * may be for a domain. @throws StartError with what to write instead.
 */
export function readAskedName(text: string, isGiven: boolean): string {
  const plain = text.trim().toLowerCase().replace(/\.$/u, '');
  if (isIP(plain.replaceAll(/[[\]]/gu, '')) !== 0) {
    throw new StartError(
      `--name takes a name, and ${text} is an address. The relay is at its addresses anyhow.`,
    );
  }
  const name = plain.includes('.') ? plain : `${plain}.local`;
  if (name.endsWith('.local')) return checkLocal(text, name);
  const domain = domainToASCII(name);
  if (!DOMAIN.test(domain))
    throw new StartError(`--name ${text} is no name of a machine, such as palm.example.org.`);
  if (isGiven) return domain;
  throw new StartError(
    `--name ${text} needs --cert and --key: no browser takes the relay's own word for a name that does not end in .local. ` +
      'For a name on this network alone: --name palm.',
  );
}

function checkLocal(text: string, name: string): string {
  const label = name.slice(0, -'.local'.length);
  if (label.length > MAX_NAME_LABEL_LENGTH) {
    throw new StartError(
      `--name ${text} is too long: at most ${MAX_NAME_LABEL_LENGTH} characters before .local.`,
    );
  }
  if (label === 'localhost') throw new StartError('--name localhost would be every machine itself.');
  if (isLocalName(name)) return name;
  throw new StartError(
    `--name ${text}: a name that this network finds has letters from a to z, digits, and hyphens within it. Browsers ` +
      'would write others as xn--…, to which no machine answers.',
  );
}
