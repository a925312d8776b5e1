// The relay's certificates on disk: the authority that phones may have been told to trust, and the current
// leaf.
//
// Invariants: each pair of key and certificate is one file, mode 0600, that is replaced atomically, so no
// reader sees half of it or another's key; a good authority is never replaced; of a replaced one only the
// certificate is kept, to tell people about it. Everything read is checked.

import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import {
  type Certified,
  createAuthority,
  createLeaf,
  fromPem,
  goodTimes,
  hostsOf,
  isAuthorityEnding,
  isConfinedToPrivateRanges,
  isLeafUsable,
  mayVouchFor,
  plausibleTime,
  toPem,
} from './certificates.ts';
import { fingerprintOf } from './fingerprint.ts';
import { localNameOf } from './authority-name.ts';
import { StartError } from './start-error.ts';

/** What the TLS server and the onboarding page need. */
export interface ServerCertificate {
  /** Private key of the leaf, PEM. */
  readonly key: string;
  /** Leaf, then the certificates that vouch for it, PEM. */
  readonly chain: string;
  /** Names and addresses that the leaf covers. */
  readonly hosts: readonly string[];
  /** From when until when, wall ms, no other is needed. */
  readonly good: { readonly fromMs: number; readonly untilMs: number };
  /** The leaf's, as people compare it. */
  readonly certificateFingerprint: string;
  /** The relay's own authority; undefined when another vouches for the leaf. */
  readonly authority: OwnAuthority | undefined;
  /** The name that the relay itself answers to on its network; undefined for none. */
  readonly localName: string | undefined;
}

export interface OwnAuthority {
  /** Its certificate, PEM: public, for those who want to trust it. */
  readonly certificate: string;
  /** As people compare it. */
  readonly fingerprint: string;
  /** The one that it replaced recently; devices may still trust it. */
  readonly replacedFingerprint: string | undefined;
}

const AUTHORITY_FILE = 'ca.pem';
/** The certificate, without its key, of the authority that the present one replaced. */
const REPLACED_FILE = 'ca-before.pem';
const LEAF_FILE = 'leaf.pem';

/** How long a replaced authority is mentioned, ms: long enough for somebody who comes back after a summer. */
const TOLD_MS = 90 * 24 * 60 * 60 * 1000;

/**
 * The certificate for this machine's names and addresses. Makes a new one if it is missing, expires soon or
 * names other hosts. `chosenNames`: what the relay answers to, the present name first; by default the one
 * that follows from its authority.
 * @throws StartError when the folder cannot be used, or holds an authority that cannot be read.
 */
export async function loadServerCertificate(
  dataDir: string,
  clockMs: number,
  machineNames: readonly string[],
  addresses: readonly string[],
  chosenNames: readonly string[] = [],
): Promise<ServerCertificate> {
  const nowMs = plausibleTime(clockMs);
  const authority = await withFolder(dataDir, () => loadAuthority(dataDir, nowMs, machineNames));
  const authorityPem = authority.certificate.toString('pem');
  const localNames = chosenNames.length > 0 ? chosenNames : [localNameOf(authorityPem)];
  const names = ['localhost', ...localNames, ...machineNames, '127.0.0.1', '::1', ...addresses];
  const hosts = [...new Set(names)].filter((host) => mayVouchFor(authority, host));
  const isOffline = addresses.length === 0;
  const leaf = await withFolder(dataDir, () => loadLeaf(dataDir, nowMs, authority, hosts, isOffline));
  const [key = ''] = (await toPem(leaf)).split('-----BEGIN CERTIFICATE-----');
  return {
    key,
    chain: `${leaf.certificate.toString('pem')}\n${authorityPem}\n`,
    hosts: hostsOf(leaf),
    good: goodTimes(leaf),
    certificateFingerprint: fingerprintOf(leaf.certificate.toString('pem')),
    authority: {
      certificate: `${authorityPem}\n`,
      fingerprint: fingerprintOf(authorityPem),
      replacedFingerprint: await replacedFingerprint(dataDir, nowMs, authority),
    },
    localName: localNames[0],
  };
}

/** The name that a relay with this folder has without --name; undefined where it never ran. */
export async function keptLocalName(dataDir: string): Promise<string | undefined> {
  const kept = await readPem(join(dataDir, AUTHORITY_FILE));
  return kept === undefined ? undefined : localNameOf(kept.certificate.toString('pem'));
}

async function loadAuthority(
  dataDir: string,
  nowMs: number,
  machineNames: readonly string[],
): Promise<Certified> {
  const path = join(dataDir, AUTHORITY_FILE);
  const kept = await readPem(path);
  const isOpen = kept !== undefined && !isConfinedToPrivateRanges(kept);
  if (kept !== undefined && !isOpen && !isAuthorityEnding(nowMs, kept)) return kept;
  // First, so that a relay that is stopped in between still mentions it.
  if (isOpen) await placeFile(join(dataDir, REPLACED_FILE), kept.certificate.toString('pem'));
  const names = new Set([...machineNames, 'localhost', 'local']);
  await placeFile(path, await toPem(await createAuthority(nowMs, [...names])));
  // Another relay that started at the same moment may have written too: the file on the disk counts.
  const placed = await readPem(path);
  if (placed === undefined) throw new StartError(`${path} disappeared as soon as it was written.`);
  return placed;
}

/** Undefined when none was replaced, or long ago. A file that is no certificate is ignored. */
async function replacedFingerprint(
  dataDir: string,
  nowMs: number,
  { certificate }: Certified,
): Promise<string | undefined> {
  if (nowMs - certificate.notBefore.getTime() > TOLD_MS) return undefined;
  try {
    return fingerprintOf(await readFile(join(dataDir, REPLACED_FILE), 'utf8'));
  } catch {
    return undefined;
  }
}

/**
 * `isOffline`: a machine without a network keeps the leaf for the addresses that it had. It mostly gets them
 * back, and each new leaf makes browsers warn again.
 */
async function loadLeaf(
  dataDir: string,
  nowMs: number,
  authority: Certified,
  hosts: readonly string[],
  isOffline: boolean,
): Promise<Certified> {
  const path = join(dataDir, LEAF_FILE);
  // Nothing depends on an old leaf: one that cannot be read is replaced like one that has expired.
  const kept = await readPem(path).catch((error: unknown) => {
    if (error instanceof StartError) return undefined;
    throw error;
  });
  if (kept !== undefined) {
    const had = isOffline ? hostsOf(kept).filter((host) => isIP(host) !== 0 && !hosts.includes(host)) : [];
    if (await isLeafUsable(nowMs, kept, authority, [...hosts, ...had])) return kept;
  }
  const leaf = await createLeaf(nowMs, authority, hosts);
  await placeFile(path, await toPem(leaf));
  return leaf;
}

/** Undefined when there is no such file. @throws StartError when this relay did not write it. */
async function readPem(path: string): Promise<Certified | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    return await fromPem(text);
  } catch (cause) {
    throw new StartError(
      `The relay's certificate in ${path} cannot be read. Files in your pools are not touched by this. ` +
        'Delete that file to have a new one made; devices that trusted the old one will ask again.',
      { cause },
    );
  }
}

/** Writes a file atomically, replacing an existing one. */
export async function placeFile(path: string, text: string): Promise<void> {
  const draft = `${path}.${randomUUID()}`;
  try {
    await writeFile(draft, text, { mode: 0o600, flag: 'wx' });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function withFolder<Answer>(dataDir: string, work: () => Promise<Answer>): Promise<Answer> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o700 });
    return await work();
  } catch (cause) {
    if (cause instanceof StartError || !(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new StartError(
      `The relay cannot keep its certificate in ${dataDir} (${cause.message}). ` +
        'Choose a folder that you may write to with --data DIR.',
      { cause },
    );
  }
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
