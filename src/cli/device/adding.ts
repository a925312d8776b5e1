// Additions that come over the device's socket: a file of this machine, or the bytes of the request.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { withCid } from '../../core/model/content-cid.ts';
import type { Palm, StoreOptions, StoreResult } from '../../runtime/api.ts';
import type { DeviceWorks } from '../operations/device-works.ts';
import type { Trace } from '../operations/spans.ts';
import { traceOf } from '../operations/tracing.ts';
import { openDiskFile } from './disk-file.ts';
import { cidOfBytes } from './file-cid.ts';
import type { KnownCids } from './known-cids.ts';
import { namedByCid } from './named-by-cid.ts';
import { ADD_HEADER, type Added, type AddLine, type AddRequest } from './messages.ts';
import { jsonBody, RequestError, textOf, toldOf } from './requests.ts';
import type { Spool } from './spool.ts';

/** Between two lines of progress, ms. */
const PROGRESS_EVERY_MS = 200;

export interface AddingDevice {
  readonly palm: Pick<Palm, 'status' | 'store' | 'rename'>;
  readonly works: Pick<DeviceWorks, 'store'>;
  readonly cids: Pick<KnownCids, 'learn'>;
  readonly spool: Spool;
}

/** Who asked, until it is no longer wanted, and where its lines go. */
interface Asking {
  readonly trace: Trace;
  readonly signal: AbortSignal;
  readonly line: (told: AddLine) => void;
}

/** Answers with lines: how far it is, and how it ended. */
export async function add(
  device: AddingDevice,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const header = request.headers[ADD_HEADER];
  const isBody = typeof header === 'string';
  const wanted = addRequestOf(isBody ? JSON.parse(decodeURIComponent(header)) : await jsonBody(request));
  const leaving = new AbortController();
  response.on('close', () => leaving.abort());
  const line = (told: AddLine): boolean => response.write(`${JSON.stringify(told)}\n`);
  const asking: Asking = { trace: traceOf(request), signal: leaving.signal, line };
  response.writeHead(200, { 'Content-Type': 'application/x-ndjson' });
  try {
    const result = isBody
      ? await addBody(device, wanted, request, asking)
      : await addFile(device, await openDiskFile(wanted.file ?? '', wanted.name), wanted, asking);
    line({ kind: 'done', result });
  } catch (error) {
    line({ kind: 'failed', error: toldOf(error) });
  }
  response.end();
}

/** The runtime must know a file's size, and reads it again: the bytes are gathered on the disk first. */
async function addBody(
  device: AddingDevice,
  wanted: AddRequest,
  request: IncomingMessage,
  asking: Asking,
): Promise<Added> {
  const file = await device.spool.gather(request, wanted.name, asking.signal);
  try {
    return await addFile(device, file, wanted, asking);
  } finally {
    await file.discard();
  }
}

async function addFile(device: AddingDevice, file: File, wanted: AddRequest, asking: Asking): Promise<Added> {
  if (wanted.withCid !== true) return store(device, file, wanted, file.type, asking);
  const cid = await cidOfBytes(counted(file, asking.line), asking.signal);
  const stored = await store(device, file, wanted, withCid(file.type, cid), asking);
  return { ...stored, fileId: await namedByCid(device, stored.fileId, cid), cid };
}

async function* counted(file: File, line: (told: AddLine) => void): AsyncGenerator<Uint8Array> {
  let doneBytes = 0;
  let toldAtMs = performance.now();
  // The runtime's types of streams are those of pages, which cannot be iterated.
  for await (const piece of file.stream() as unknown as AsyncIterable<Uint8Array>) {
    yield piece;
    doneBytes += piece.length;
    if (performance.now() - toldAtMs < PROGRESS_EVERY_MS) continue;
    toldAtMs = performance.now();
    line({ kind: 'progress', phase: 'naming', doneBytes, totalBytes: file.size });
  }
}

async function store(
  { palm, works }: AddingDevice,
  file: File,
  { name, path, isPrivate, k, n, tellsProgress }: AddRequest,
  mime: string,
  { trace, signal, line }: Asking,
): Promise<StoreResult> {
  const options: StoreOptions = {
    name,
    path,
    mime,
    private: isPrivate,
    ...(k === undefined ? {} : { k }),
    ...(n === undefined ? {} : { n }),
    signal,
  };
  const stored = (): Promise<StoreResult> => works.store(trace, file.size, () => palm.store(file, options));
  if (tellsProgress !== true) return stored();
  const before = new Set(palm.status().transfers.map(({ id }) => id));
  const timer = setInterval(() => {
    const own = palm
      .status()
      .transfers.find(({ id, kind, name: of }) => !before.has(id) && kind === 'store' && of === name);
    if (own === undefined) return;
    const { phase, doneBytes, totalBytes } = own;
    line({ kind: 'progress', phase, doneBytes, totalBytes });
  }, PROGRESS_EVERY_MS);
  try {
    return await stored();
  } finally {
    clearInterval(timer);
  }
}

function addRequestOf(value: unknown): AddRequest {
  if (typeof value !== 'object' || value === null) throw new RequestError('no addition');
  const field = (name: string): unknown => Reflect.get(value, name);
  const [file, k, n] = [field('file'), field('k'), field('n')];
  return {
    name: textOf(field('name')),
    path: textOf(field('path')),
    isPrivate: field('isPrivate') === true,
    withCid: field('withCid') === true,
    tellsProgress: field('tellsProgress') === true,
    ...(typeof file === 'string' ? { file } : {}),
    ...(typeof k === 'number' ? { k } : {}),
    ...(typeof n === 'number' ? { n } : {}),
  };
}
