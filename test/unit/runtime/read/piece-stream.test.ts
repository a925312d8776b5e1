// The stream that `read` answers: whole pieces for plain readers, the reader's own buffer for those that
// bring one.

import { afterEach, describe, expect, it, vi } from 'vitest';
import { pieceStream, type PieceSource } from '../../../../src/runtime/read/piece-stream.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';

const PIECE_BYTES = [5, 1, 9, 4];

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('a plain reader', () => {
  for (const engine of ['with byte streams', 'without']) {
    it(`gets the pieces as they are, in an engine ${engine}`, async () => {
      if (engine === 'without') withoutByteStreams();
      const { source, pieces } = pieceSource();
      const arrived: Uint8Array[] = [];
      for await (const piece of pieceStream(source)) arrived.push(piece);
      expect(arrived).toEqual(pieces);
    });

    it(`gets the failure of a piece, in an engine ${engine}`, async () => {
      if (engine === 'without') withoutByteStreams();
      const { source } = pieceSource();
      const failure = new Error('the second piece is missing');
      let count = 0;
      const next = () => (++count === 2 ? Promise.reject(failure) : source.next());
      const reader = pieceStream({ ...source, next }).getReader();
      await reader.read();
      await expect(reader.read()).rejects.toBe(failure);
    });
  }

  it('requests no piece before it reads, and ends the source when it cancels', async () => {
    const { source, made } = pieceSource();
    const cancel = vi.fn(() => Promise.resolve());
    const reader = pieceStream({ ...source, cancel }).getReader();
    await Promise.resolve();
    expect(made()).toBe(0);
    await reader.read();
    expect(made()).toBe(1);
    await reader.cancel();
    expect(cancel).toHaveBeenCalledOnce();
  });

  it('is told immediately when the source fails from outside', async () => {
    const { source } = pieceSource();
    const failure = new Error('stopped');
    let fail: (error: unknown) => void = () => undefined;
    const start = (given: (error: unknown) => void) => {
      fail = given;
      return Promise.resolve();
    };
    const next = () => new Promise<never>(() => undefined);
    const reading = pieceStream({ ...source, start, next })
      .getReader()
      .read();
    await Promise.resolve();
    fail(failure);
    await expect(reading).rejects.toBe(failure);
  });
});

describe('a reader with a buffer of its own', () => {
  for (const bufferBytes of [1, 3, 5, 64]) {
    it(`of ${bufferBytes} bytes gets every byte, and nothing but its own buffer`, async () => {
      const { source, pieces } = pieceSource();
      const whole = pieces.flatMap((piece) => [...piece]);
      const reader = pieceStream(source).getReader({ mode: 'byob' });
      const arrived: number[] = [];
      let buffer = new ArrayBuffer(bufferBytes);
      for (;;) {
        const { value, done } = await reader.read(new Uint8Array(buffer));
        if (value !== undefined) {
          expect(value.buffer.byteLength).toBe(bufferBytes);
          arrived.push(...value);
          buffer = value.buffer;
        }
        if (done) break;
      }
      expect(arrived).toEqual(whole);
    });
  }
});

/** `pieces` are what the stream is handed; it owns that, so these are copies. */
function pieceSource() {
  const given = PIECE_BYTES.map((byteCount, at) => seededBytes(byteCount, at + 1));
  const pieces = given.map((piece) => piece.slice());
  let next = 0;
  const source: PieceSource = {
    start: () => Promise.resolve(),
    next: () => Promise.resolve(given[next++]),
    cancel: () => Promise.resolve(),
  };
  return { source, pieces, made: () => next };
}

function withoutByteStreams(): void {
  vi.stubGlobal('ReadableByteStreamController', undefined);
  Reflect.deleteProperty(globalThis, 'ReadableByteStreamController');
}
