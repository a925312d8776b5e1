// Pieces, made one after another, as the stream that `read` returns. Where the engine has byte streams, a
// reader may bring its own buffer (`getReader({ mode: 'byob' })`) and reuse it: then a file of any size
// passes through it and leaves no garbage. Other readers get the pieces themselves.

import { discard } from '../../core/model/bytes.ts';

export interface PieceSource {
  /** Called once, before the first `next`. If it rejects, the stream fails with the same reason. */
  start(fail: (error: unknown) => void): Promise<void>;
  /** The next piece, whose buffer belongs to the stream from then on; undefined at the end. */
  next(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  cancel(): Promise<void>;
}

/** Requests a piece only when the reader asks for bytes: reading ahead is the source's own matter. */
export function pieceStream(source: PieceSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  const waits = { highWaterMark: 0 };
  // The libraries declare it always present; some engines lack it.
  if (!('ReadableByteStreamController' in globalThis)) return new ReadableStream(wholePieces(source), waits);
  return new ReadableStream(bytesOfPieces(source), waits);
}

function wholePieces(source: PieceSource): UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> {
  return {
    start: (controller) => source.start((error) => controller.error(error)),
    async pull(controller) {
      const piece = await source.next();
      if (piece === undefined) controller.close();
      else controller.enqueue(piece);
    },
    cancel: () => source.cancel(),
  };
}

function bytesOfPieces(source: PieceSource): UnderlyingByteSource {
  /** The rest of a piece that did not fit into the reader's buffer. */
  let rest: Uint8Array<ArrayBuffer> | undefined;
  return {
    type: 'bytes',
    start: (controller) => source.start((error) => controller.error(error)),
    async pull(controller) {
      rest ??= await source.next();
      const request = controller.byobRequest;
      if (rest === undefined) {
        controller.close();
        request?.respond(0);
      } else if (request?.view instanceof Uint8Array) {
        const filledBytes = Math.min(rest.length, request.view.length);
        request.view.set(rest.subarray(0, filledBytes));
        const isUsedUp = filledBytes === rest.length;
        if (isUsedUp) discard(rest);
        rest = isUsedUp ? undefined : rest.subarray(filledBytes);
        request.respond(filledBytes);
      } else {
        const piece = rest;
        rest = undefined;
        controller.enqueue(piece);
      }
    },
    cancel: () => source.cancel(),
  };
}
