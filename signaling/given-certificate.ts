// A certificate given with --cert and --key, from an authority that browsers already trust, or one run for
// this network.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { ServerCertificate } from './certificate-store.ts';
import { fingerprintOf } from './fingerprint.ts';
import { StartError } from './start-error.ts';

/** The files, PEM: a certificate, with the chain below its root, and its private key. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

/** When the files last changed: another text after they did. */
export async function filesStamp({ cert, key }: CertificateFiles): Promise<string> {
  const times = [cert, key].map(async (path) => (await stat(path)).mtimeMs);
  return (await Promise.all(times)).join(' ');
}

/**
 * `asked`: what the relay is to be called, one of the names that the certificate is for.
 * @throws StartError when it is not, or when the files are not a currently valid certificate and its key. */
export async function loadGivenCertificate(
  { cert, key }: CertificateFiles,
  nowMs: number,
  systemName: string,
  asked: string | undefined,
): Promise<ServerCertificate> {
  const [chainPem, keyPem] = [await readPem('--cert', cert), await readPem('--key', key)];
  const leaf = parsed(`--cert ${cert}`, 'certificate in PEM', () => new X509Certificate(chainPem));
  const privateKey = parsed(`--key ${key}`, 'private key in PEM, without a passphrase', () =>
    createPrivateKey(keyPem),
  );
  if (!leaf.checkPrivateKey(privateKey)) {
    throw new StartError(`The key in ${key} is not that of the certificate in ${cert}.`);
  }
  if (Date.parse(leaf.validTo) <= nowMs || Date.parse(leaf.validFrom) > nowMs) {
    throw new StartError(
      `The certificate in ${cert} is good from ${leaf.validFrom} until ${leaf.validTo}, not now. Renew it, or leave ` +
        '--cert and --key out to use one that the relay makes.',
    );
  }
  const hosts = hostsOf(leaf, systemName.toLowerCase());
  if (asked !== undefined && leaf.checkHost(asked) === undefined) {
    throw new StartError(
      `The certificate in ${cert} is not for ${asked} (--name). It is for ${leaf.subjectAltName ?? 'no name'}.`,
    );
  }
  return {
    key: keyPem,
    chain: chainPem,
    hosts: asked === undefined ? hosts : [...new Set([asked, ...hosts])],
    good: { fromMs: Date.parse(leaf.validFrom), untilMs: Date.parse(leaf.validTo) },
    certificateFingerprint: fingerprintOf(chainPem),
    authority: undefined,
    localName: asked?.endsWith('.local') === true ? asked : undefined,
  };
}

/** The names and addresses in a certificate; for a wildcard, this machine's name if it matches. */
function hostsOf(leaf: X509Certificate, systemName: string): string[] {
  const alternatives = (leaf.subjectAltName ?? '').split(', ').flatMap((text) => {
    const [, kind, value = ''] = /^(DNS|IP Address):([A-Za-z0-9.:-]+)$/.exec(text) ?? [];
    return kind === undefined ? [] : [value.toLowerCase()];
  });
  const own = leaf.checkHost(systemName) === undefined ? [] : [systemName];
  return [...new Set([...alternatives, ...own])];
}

async function readPem(flag: string, path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`${flag} ${path} cannot be read (${reason}).`, { cause });
  }
}

function parsed<Value>(what: string, wanted: string, parse: () => Value): Value {
  try {
    return parse();
  } catch (cause) {
    throw new StartError(`${what} holds no ${wanted}.`, { cause });
  }
}
