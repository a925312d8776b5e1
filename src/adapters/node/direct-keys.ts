// What a device is known by at its direct address, kept from run to run: port, secret, and the certificate of
// its DTLS. So an invite stays good when the machine restarts.

// x509 uses decorators, so their polyfill must be loaded first.
// oxlint-disable-next-line import/no-unassigned-import -- a polyfill exports nothing
import 'reflect-metadata';
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import * as x509 from '@peculiar/x509';
import { DIRECT_SECRET_BYTES } from '../../core/pairing/direct-address.ts';

export interface DirectKeys {
  /** UDP. */
  readonly port: number;
  /** DIRECT_SECRET_BYTES bytes. */
  readonly secret: Uint8Array;
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
  /** SHA-256 of the certificate, 32 bytes. */
  readonly fingerprint: Uint8Array;
}

const KEY = { name: 'ECDSA', namedCurve: 'P-256' };
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' };
/** Nobody judges the dates: WebRTC knows certificates by their fingerprints (RFC 8827, section 6.5). */
const VALID = { notBefore: new Date(Date.UTC(2020, 0)), notAfter: new Date(Date.UTC(2120, 0)) };

/** Those in the file at `path`; new ones, written there, if there are none that can be used. */
export async function loadDirectKeys(path: string): Promise<DirectKeys> {
  return savedKeys(path) ?? saveKeys(path, await newKeys());
}

/** As `loadDirectKeys`, at another port, because something else has that one. */
export async function moveDirectKeys(path: string, keys: DirectKeys): Promise<DirectKeys> {
  return saveKeys(path, { ...keys, port: await freePort() });
}

function savedKeys(path: string): DirectKeys | undefined {
  try {
    const saved: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof saved !== 'object' || saved === null) return undefined;
    const { port, secret, certificate, key } = Object.fromEntries(Object.entries(saved));
    const bytes = Buffer.from(String(secret), 'hex');
    const isPort = Number.isInteger(port) && port > 0 && port <= 0xff_ff;
    if (!isPort || bytes.length !== DIRECT_SECRET_BYTES) return undefined;
    if (typeof certificate !== 'string' || typeof key !== 'string') return undefined;
    const isPair = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key));
    return isPair
      ? { port, secret: new Uint8Array(bytes), certificate, key, fingerprint: printOf(certificate) }
      : undefined;
  } catch {
    // Not there, or damaged: with new ones, only invites of before lose their direct address.
    return undefined;
  }
}

function saveKeys(path: string, keys: DirectKeys): DirectKeys {
  const { port, secret, certificate, key } = keys;
  const text = JSON.stringify({ port, secret: Buffer.from(secret).toString('hex'), certificate, key });
  writeFileSync(path, `${text}\n`, { mode: 0o600, flush: true });
  return keys;
}

async function newKeys(): Promise<DirectKeys> {
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
  const made = await x509.X509CertificateGenerator.createSelfSigned(
    { name: [{ CN: ['Palm'] }], keys, ...VALID, signingAlgorithm: SIGNATURE },
    crypto,
  );
  const certificate = made.toString('pem');
  const exported = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: exported, format: 'der', type: 'pkcs8' }).export({
    format: 'pem',
    type: 'pkcs8',
  });
  return {
    port: await freePort(),
    secret: new Uint8Array(randomBytes(DIRECT_SECRET_BYTES)),
    certificate,
    key: key.toString(),
    fingerprint: printOf(certificate),
  };
}

function printOf(certificate: string): Uint8Array {
  return new Uint8Array(
    Buffer.from(new X509Certificate(certificate).fingerprint256.replaceAll(':', ''), 'hex'),
  );
}

async function freePort(): Promise<number> {
  const socket = createSocket('udp4');
  socket.bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}
