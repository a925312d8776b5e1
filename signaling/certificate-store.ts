// The relay's certificates on disk: the authority that phones may have been told to trust, and the current leaf.
//
// Invariants: each pair of key and certificate is one file, mode 0600, that is swapped in whole, so that no reader sees
// half of it or the key of another; an authority that is there and good is never replaced. Everything read is checked.

import { randomUUID, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import {
  type Certified,
  createAuthority,
  createLeaf,
  fromPem,
  isAuthorityEnding,
  isLeafUsable,
  mayVouchFor,
  toPem,
} from './certificates.ts';
import { StartError } from './start-error.ts';

/** What the TLS server and the onboarding page need. */
export interface ServerCertificate {
  /** Private key of the leaf, PEM. */
  readonly key: string;
  /** Leaf, then authority, PEM. */
  readonly chain: string;
  /** The authority's certificate, PEM: public, for those who want to trust it. */
  readonly authority: string;
  /** SHA-256 of the authority's certificate, as pairs of hex digits. */
  readonly authorityFingerprint: string;
}

const AUTHORITY_FILE = 'ca.pem';
const LEAF_FILE = 'leaf.pem';

/** Where the relay keeps its certificates unless told otherwise. */
export function defaultDataDir(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (platform === 'win32') return join(env['LOCALAPPDATA'] ?? join(homedir(), 'AppData', 'Local'), 'palm');
  if (platform === 'darwin') return join(homedir(), 'Library', 'Application Support', 'palm');
  const xdg = env['XDG_DATA_HOME']; // XDG Base Directory Specification: an empty value counts as absent
  return join(xdg === undefined || xdg === '' ? join(homedir(), '.local', 'share') : xdg, 'palm');
}

/**
 * The certificate for this machine's names and addresses; makes what is missing, ends soon or names something else.
 * @throws StartError when the folder cannot be used, or holds an authority that cannot be read.
 */
export async function loadServerCertificate(
  dataDir: string,
  nowMs: number,
  machineNames: readonly string[],
  addresses: readonly string[],
): Promise<ServerCertificate> {
  const authority = await withFolder(dataDir, () => loadAuthority(dataDir, nowMs, machineNames));
  const hosts = ['localhost', ...machineNames, '127.0.0.1', '::1', ...addresses].filter((host) =>
    mayVouchFor(authority, host),
  );
  const leaf = await withFolder(dataDir, () => loadLeaf(dataDir, nowMs, authority, hosts));
  const authorityPem = authority.certificate.toString('pem');
  const [key = ''] = (await toPem(leaf)).split('-----BEGIN CERTIFICATE-----');
  return {
    key,
    chain: `${leaf.certificate.toString('pem')}\n${authorityPem}\n`,
    authority: `${authorityPem}\n`,
    authorityFingerprint: new X509Certificate(authorityPem).fingerprint256,
  };
}

async function loadAuthority(
  dataDir: string,
  nowMs: number,
  machineNames: readonly string[],
): Promise<Certified> {
  const path = join(dataDir, AUTHORITY_FILE);
  const kept = await readPem(path);
  if (kept !== undefined && !isAuthorityEnding(nowMs, kept)) return kept;
  const names = new Set([...machineNames, 'localhost', 'local']);
  await placeFile(path, await toPem(await createAuthority(nowMs, [...names])));
  // Another relay that started at the same moment may have written too: what is on the disk counts.
  const placed = await readPem(path);
  if (placed === undefined) throw new StartError(`${path} disappeared as soon as it was written.`);
  return placed;
}

async function loadLeaf(
  dataDir: string,
  nowMs: number,
  authority: Certified,
  hosts: readonly string[],
): Promise<Certified> {
  const path = join(dataDir, LEAF_FILE);
  // Nothing rests on an old leaf: one that cannot be read is made anew like one that has ended.
  const kept = await readPem(path).catch((error: unknown) => {
    if (error instanceof StartError) return undefined;
    throw error;
  });
  if (kept !== undefined && (await isLeafUsable(nowMs, kept, authority, hosts))) return kept;
  const leaf = await createLeaf(nowMs, authority, hosts);
  await placeFile(path, await toPem(leaf));
  return leaf;
}

/** Undefined when there is no such file. @throws StartError when it is not what this relay wrote. */
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

/** Writes a whole file at once, in place of one that is there. */
async function placeFile(path: string, text: string): Promise<void> {
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
