// The ports of the last time, kept beside the certificates. A browser's storage belongs to an address with
// its port: at another port, devices find an empty Palm.
//
// A file that cannot be read counts as absent: it only makes the relay more careful.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { placeFile } from './certificate-store.ts';

export interface KeptPort {
  readonly port: number;
  /** A device of a pool was connected there, so that files are kept under that address. */
  readonly poolServed: boolean;
}

export interface KeptPorts {
  readonly https: KeptPort | undefined;
  readonly http: KeptPort | undefined;
}

const PORTS_FILE = 'ports.json';

export async function loadPorts(dataDir: string): Promise<KeptPorts> {
  try {
    const kept: unknown = JSON.parse(await readFile(join(dataDir, PORTS_FILE), 'utf8'));
    return { https: readKept(fieldOf(kept, 'https')), http: readKept(fieldOf(kept, 'http')) };
  } catch {
    return { https: undefined, http: undefined };
  }
}

/** @throws Error when the folder cannot be written. */
export async function savePorts(dataDir: string, ports: KeptPorts): Promise<void> {
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  await placeFile(join(dataDir, PORTS_FILE), `${JSON.stringify(ports)}\n`);
}

function readKept(kept: unknown): KeptPort | undefined {
  const [port, poolServed] = [fieldOf(kept, 'port'), fieldOf(kept, 'poolServed')];
  const isPort = typeof port === 'number' && Number.isInteger(port) && port > 0 && port <= 65_535;
  return isPort ? { port, poolServed: poolServed === true } : undefined;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}
