// Pieces that are made one after another, as the stream that `read` answers. Where the engine has byte
// streams a reader may bring its own buffer (`getReader({ mode: 'byob' })`) and use it again and again: then
// a file of any size passes through it, and leaves nothing to be collected as garbage. Other readers are
// given the pieces themselves.

import { discard } from '../../core/model/bytes.ts';

export interface PieceSource {
  /** Called once, before the first `next`; the stream fails with what this rejects with. */
  start(fail: (error: unknown) => void): Promise<void>;
  /** The next piece, whose buffer is the stream's from then on; undefined at the end. */
  next(): Promise<Uint8Array<ArrayBuffer> | undefined>;
  cancel(): Promise<void>;
}

/** Asks for a piece only when the reader asks for bytes: what is read ahead is the source's own matter. */
export function pieceStream(source: PieceSource): ReadableStream<Uint8Array<ArrayBuffer>> {
  const waits = { highWaterMark: 0 };
  // The libraries type it as always there; not every engine has it.
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
  /** What the reader's buffer had no room for. */
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
