// A file that comes in a request. Sealing must know its size, and reads the bytes again, so they are gathered
// on the disk first.
//
// Invariants: memory holds what the disk has not yet taken of one chunk; nothing is stored of a body that did
// not come whole; what was gathered is removed, whatever happens.

import { statfs } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { parse as parseDisposition } from 'content-disposition';
import { withCid as typeWithCid } from '../../core/model/content-cid.ts';
import type { Palm, StoreOptions, StoreResult } from '../../runtime/api.ts';
import type { DeviceWorks } from '../operations/device-works.ts';
import { traceOf } from '../operations/tracing.ts';
import { words } from '../words.ts';
import { Refusal } from './answer.ts';

export interface TakingDevice {
  readonly palm: Pick<Palm, 'store'>;
  readonly works: Pick<DeviceWorks, 'store'>;
  readonly spool: Gathering;
  readonly cids: {
    cidOf(file: Blob, signal: AbortSignal): Promise<string>;
    /** The stored file has that CID. Returns the id of its name. */
    named(fileId: string, cid: string): Promise<string>;
  };
}

/** Where bytes that come in a request are until they are stored; nobody else can read them there. */
export interface Gathering {
  /** A folder on the disk that they take. */
  readonly path: string;
  gather(bytes: Readable, name: string, signal: AbortSignal): Promise<GatheredFile>;
}

export interface GatheredFile extends File {
  /** They are gone for good. */
  discard(): Promise<void>;
}

interface TakenFile {
  readonly path: string;
  readonly name: string;
  /** Whether its IPFS CID is wanted. */
  readonly withCid: boolean;
}

const TYPE = /^[\w!#$&^.+-]{1,127}\/[\w!#$&^.+-]{1,127}$/u;
/** What clients send when they know nothing of the bytes. */
const SAYS_NOTHING = new Set(['application/octet-stream', 'application/x-www-form-urlencoded']);

/**
 * @param bodyWanted is called once the body is to be sent.
 * @throws Refusal; what `palm.store` rejects with.
 */
export async function takeFile(
  device: TakingDevice,
  { path, name, withCid }: TakenFile,
  request: IncomingMessage,
  response: ServerResponse,
  { stallMs, bodyWanted }: { readonly stallMs: number; readonly bodyWanted: () => void },
): Promise<StoreResult & { readonly cid?: string }> {
  checkBody(request);
  await checkRoom(device.spool.path, Number(request.headers['content-length'] ?? 0));
  const leaving = new AbortController();
  response.on('close', () => leaving.abort());
  let file: GatheredFile | undefined;
  try {
    bodyWanted();
    request.socket.setTimeout(stallMs);
    file = await device.spool.gather(request, name, leaving.signal);
    request.socket.setTimeout(0);
    const gathered = file;
    const cid = withCid ? await device.cids.cidOf(gathered, leaving.signal) : undefined;
    const given = typeIn(request);
    const type = cid === undefined ? given : typeWithCid(given ?? '', cid);
    const options: StoreOptions = {
      name,
      path,
      ...(type === undefined ? {} : { mime: type }),
      signal: leaving.signal,
    };
    const store = (): Promise<StoreResult> => device.palm.store(gathered, options);
    const stored = await device.works.store(traceOf(request), gathered.size, store);
    if (cid === undefined) return stored;
    return { ...stored, fileId: await device.cids.named(stored.fileId, cid), cid };
  } finally {
    request.socket.setTimeout(stallMs);
    await file?.discard();
  }
}

/** The name that a POST gives its file. @throws Refusal. */
export function nameIn(request: IncomingMessage, query: URLSearchParams): string {
  const given = query.get('name') ?? dispositionName(request.headers['content-disposition']);
  if (given === undefined || given === '') throw new Refusal(400, 'bad-argument', words.gateway.noName);
  return given;
}

function dispositionName(disposition: string | undefined): string | undefined {
  if (disposition === undefined) return undefined;
  try {
    return parseDisposition(disposition).parameters['filename'];
  } catch {
    throw new Refusal(400, 'bad-argument', words.gateway.noName);
  }
}

/** @throws Refusal. */
function checkBody({ headers }: IncomingMessage): void {
  // Its bytes would be stored as if they were all (RFC 9110, 14.5).
  if (headers['content-range'] !== undefined) throw new Refusal(400, 'bad-request', words.gateway.partialPut);
  const coding = headers['content-encoding'];
  const isForm = headers['content-type']?.startsWith('multipart/') === true;
  if ((coding !== undefined && coding !== 'identity') || isForm)
    throw new Refusal(415, 'bad-request', words.gateway.plainBody);
}

/** A body that says that it cannot fit is not begun. @throws Refusal. */
async function checkRoom(folder: string, byteCount: number): Promise<void> {
  const { bsize, bavail } = await statfs(folder);
  if (byteCount > bsize * bavail) throw new Refusal(507, 'storage-full', words.diskFull);
}

function typeIn({ headers }: IncomingMessage): string | undefined {
  const type = headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  return type === undefined || !TYPE.test(type) || SAYS_NOTHING.has(type) ? undefined : type;
}
