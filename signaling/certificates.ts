// The relay's own small certificate authority: X.509 made and judged, no files.
//
// A browser gives the app its storage, camera and service worker only over https, and no public authority
// vouches for machines on a home network. Invariants: name constraints let the CA vouch only for this
// machine's names, `.local`, and addresses that no website has; a certificate names exactly the hosts it was
// made for; keys are P-256.

// x509 uses decorators, so their polyfill must be loaded first.
// oxlint-disable-next-line import/no-unassigned-import -- a polyfill exports nothing
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import { AsnConvert } from '@peculiar/asn1-schema';
import {
  GeneralName,
  GeneralSubtree,
  GeneralSubtrees,
  id_ce_nameConstraints,
  NameConstraints,
} from '@peculiar/asn1-x509';
import * as x509 from '@peculiar/x509';
import { isPrivateAddress, PRIVATE_RANGE_TEXTS } from './private-ranges.ts';

/** A certificate and its private key. */
export interface Certified {
  readonly certificate: x509.X509Certificate;
  readonly privateKey: webcrypto.CryptoKey;
}

const DAY_MS = 24 * 60 * 60 * 1000;
const CA_DAYS = 3650;
/** Apple and the CA/Browser Forum allow 398 days; one less is safe whichever way days are counted. */
const LEAF_DAYS = 397;
/** A phone with a slow clock must not refuse a certificate that was just made. */
const BACKDATED_DAYS = 1;
const RENEW_DAYS = 30;
/** Palm is not older than this: until a clock that shows an earlier time is put right, this is assumed. */
const EARLIEST_MS = Date.UTC(2026, 10, 1);

const KEY = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
const SERVER_ONLY = new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]);

/**
 * Makes an authority that can vouch for `names` and their subdomains, and for addresses in private ranges.
 */
export async function createAuthority(nowMs: number, names: readonly string[]): Promise<Certified> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(
    {
      // The day distinguishes it from the one it replaces, in the lists that devices show.
      name: [{ CN: [`Palm relay on ${names[0] ?? 'this network'}, ${dayOf(nowMs)}`] }],
      keys,
      ...validity(nowMs, CA_DAYS),
      signingAlgorithm: SIGNATURE,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
        SERVER_ONLY,
        nameConstraints(names),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate, privateKey: keys.privateKey };
}

/** Makes a server certificate for host names and addresses, signed by `authority`. */
export async function createLeaf(
  nowMs: number,
  authority: Certified,
  hosts: readonly string[],
): Promise<Certified> {
  const keys = await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
  const alternatives = hosts.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }) as const);
  const certificate = await x509.X509CertificateGenerator.create(
    {
      subject: [{ CN: ['Palm relay'] }],
      issuer: authority.certificate.subjectName,
      publicKey: keys.publicKey,
      signingKey: authority.privateKey,
      ...validity(nowMs, LEAF_DAYS),
      signingAlgorithm: SIGNATURE,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        SERVER_ONLY,
        new x509.SubjectAlternativeNameExtension(alternatives),
        await x509.AuthorityKeyIdentifierExtension.create(authority.certificate.publicKey, false, webcrypto),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey, false, webcrypto),
      ],
    },
    webcrypto,
  );
  return { certificate, privateKey: keys.privateKey };
}

/** `nowMs` from a clock that may not be set yet. */
export function plausibleTime(nowMs: number): number {
  return Math.max(nowMs, EARLIEST_MS);
}

/** Whether a new leaf, made now, would outlive the authority. */
export function isAuthorityEnding(nowMs: number, { certificate }: Certified): boolean {
  return certificate.notAfter.getTime() < nowMs + LEAF_DAYS * DAY_MS;
}

/** Names and addresses that a leaf covers. */
export function hostsOf({ certificate }: Certified): string[] {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.items ?? [];
  return names.map(({ value }) => value);
}

/** From when until when a certificate counts as good: it is renewed a while before it ends. */
export function goodTimes({ certificate }: Certified): { readonly fromMs: number; readonly untilMs: number } {
  return {
    fromMs: certificate.notBefore.getTime(),
    untilMs: certificate.notAfter.getTime() - RENEW_DAYS * DAY_MS,
  };
}

/** Whether `authority` signed `leaf`, and it is valid for another RENEW_DAYS and names exactly `hosts`. */
export async function isLeafUsable(
  nowMs: number,
  leaf: Certified,
  authority: Certified,
  hosts: readonly string[],
): Promise<boolean> {
  const { certificate } = leaf;
  const names = hostsOf(leaf);
  const isSameSet = new Set([...hosts, ...names]).size === hosts.length;
  const { fromMs, untilMs } = goodTimes(leaf);
  if (!(fromMs <= nowMs && nowMs < untilMs) || !isSameSet || names.length !== hosts.length) return false;
  return certificate.verify({ publicKey: authority.certificate.publicKey, date: new Date(nowMs) }, webcrypto);
}

/** Whether the authority's constraints let it vouch for a host name or an address. */
export function mayVouchFor(authority: Certified, host: string): boolean {
  if (isIP(host) !== 0) return isPrivateAddress(host) || !isConfinedToPrivateRanges(authority);
  return permitted(authority).some(
    ({ dNSName }) => dNSName !== undefined && (host === dNSName || host.endsWith(`.${dNSName}`)),
  );
}

/** Whether the authority may vouch for addresses in private ranges, and no others. */
export function isConfinedToPrivateRanges(authority: Certified): boolean {
  const ranges = permitted(authority).flatMap(({ iPAddress }) =>
    iPAddress === undefined ? [] : [iPAddress],
  );
  return ranges.length > 0 && ranges.every((range) => PRIVATE_RANGE_TEXTS.includes(range));
}

function permitted({ certificate }: Certified): GeneralName[] {
  const extension = certificate.getExtension(id_ce_nameConstraints);
  if (extension === null) return [];
  const { permittedSubtrees } = AsnConvert.parse(extension.value, NameConstraints);
  return [...(permittedSubtrees ?? [])].map(({ base }) => base);
}

/** The private key, then the certificate, in PEM. */
export async function toPem({ certificate, privateKey }: Certified): Promise<string> {
  const key = await webcrypto.subtle.exportKey('pkcs8', privateKey);
  return `${x509.PemConverter.encode(key, 'PRIVATE KEY')}\n${certificate.toString('pem')}\n`;
}

/** The reverse of `toPem`. @throws Error when it is something else: the text comes from a disk. */
export async function fromPem(text: string): Promise<Certified> {
  const [key, certificate] = x509.PemConverter.decodeWithHeaders(text);
  if (key?.type !== 'PRIVATE KEY' || certificate?.type !== 'CERTIFICATE') {
    throw new Error('it does not hold a private key and a certificate');
  }
  const privateKey = await webcrypto.subtle.importKey('pkcs8', key.rawData, KEY, true, ['sign']);
  return { certificate: new x509.X509Certificate(certificate.rawData), privateKey };
}

/**
 * RFC 5280, section 4.2.1.10: for each kind of name listed, the authority may vouch only for the names
 * listed.
 */
function nameConstraints(names: readonly string[]): x509.Extension {
  const bases = [
    ...names.map((dNSName) => new GeneralName({ dNSName })),
    ...PRIVATE_RANGE_TEXTS.map((iPAddress) => new GeneralName({ iPAddress })),
  ];
  const subtrees = bases.map((base) => new GeneralSubtree({ base }));
  const constraints = new NameConstraints({ permittedSubtrees: new GeneralSubtrees(subtrees) });
  return new x509.Extension(id_ce_nameConstraints, true, AsnConvert.serialize(constraints));
}

function dayOf(nowMs: number): string {
  return new Date(nowMs).toISOString().slice(0, 10);
}

function validity(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
  const startMs = nowMs - BACKDATED_DAYS * DAY_MS;
  return { notBefore: new Date(startMs), notAfter: new Date(startMs + days * DAY_MS) };
}
