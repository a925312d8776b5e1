// Saving a download: nothing is handed over unless every byte arrived.

import { afterEach, describe, expect, test, vi } from 'vitest';
import { PalmError } from '../../src/core/model/errors.ts';
import type { FileStatus, ReadOptions } from '../../src/runtime/api.ts';
import { saveFile } from '../../src/ui/download/save-file.ts';
import { isCancelled } from '../../src/ui/text/explain.ts';

const LARGE_BYTES = 65 * 1024 * 1024;

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A file that is written to a picked place, and what became of that place. */
function pickedPlace() {
  const place = { suggestedName: '', writtenBytes: 0, state: 'open' };
  vi.stubGlobal('window', {
    showSaveFilePicker: async (options: { suggestedName: string }) => {
      place.suggestedName = options.suggestedName;
      return {
        createWritable: async () =>
          new WritableStream<Uint8Array>({
            write(chunk) {
              place.writtenBytes += chunk.length;
            },
            close() {
              place.state = 'closed';
            },
            abort() {
              place.state = 'aborted';
            },
          }),
      };
    },
  });
  return place;
}

describe('a large file', () => {
  test('goes to the picked place under a safe name', async () => {
    const place = pickedPlace();
    await saveFile(
      reading(LARGE_BYTES, 1024 * 1024),
      file(LARGE_BYTES, '../film.mp4'),
      new AbortController().signal,
    );
    expect(place).toEqual({ suggestedName: '.._film.mp4', writtenBytes: LARGE_BYTES, state: 'closed' });
  });

  test('that ends early is not left there as if it were whole', async () => {
    const place = pickedPlace();
    const saving = saveFile(
      reading(LARGE_BYTES - 1, 1024 * 1024),
      file(LARGE_BYTES, 'a'),
      new AbortController().signal,
    );
    await expect(saving).rejects.toMatchObject({ code: 'corrupt' });
    expect(place.state).toBe('aborted');
  });

  test('that is cancelled is taken back', async () => {
    const place = pickedPlace();
    const cancelling = new AbortController();
    const endless = {
      read: () =>
        new ReadableStream<Uint8Array<ArrayBuffer>>({
          pull(controller) {
            controller.enqueue(new Uint8Array(1024));
            if (place.writtenBytes > 10_000) cancelling.abort();
          },
        }),
    };
    const error: unknown = await saveFile(endless, file(LARGE_BYTES, 'a'), cancelling.signal).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(isCancelled(error)).toBe(true);
    expect(place.state).toBe('aborted');
  });
});

describe('a small file', () => {
  test('that ends early or runs over is not downloaded', async () => {
    for (const bytes of [9, 11]) {
      const saving = saveFile(reading(bytes, 4), file(10, 'a.txt'), new AbortController().signal);
      // Handing it over would need a document, which there is none of here.
      await expect(saving).rejects.toMatchObject({ code: 'corrupt' });
    }
  });

  test('keeps the reason why it could not be read', async () => {
    const refused = new PalmError('not-enough-fragments', 'Too few devices are here.');
    const failing = {
      read: () =>
        new ReadableStream<Uint8Array<ArrayBuffer>>({ start: (controller) => controller.error(refused) }),
    };
    await expect(saveFile(failing, file(10, 'a'), new AbortController().signal)).rejects.toBe(refused);
  });
});

function reading(totalBytes: number, chunkBytes: number) {
  return {
    read(_fileId: string, _options?: ReadOptions): ReadableStream<Uint8Array<ArrayBuffer>> {
      let leftBytes = totalBytes;
      return new ReadableStream({
        pull(controller) {
          if (leftBytes === 0) return controller.close();
          const bytes = Math.min(chunkBytes, leftBytes);
          leftBytes -= bytes;
          controller.enqueue(new Uint8Array(bytes));
        },
      });
    },
  };
}

function file(size: number, name: string): FileStatus {
  return {
    fileId: 'file',
    name,
    path: '',
    mime: '',
    size,
    k: 1,
    n: 1,
    reach: 1,
    margin: 0,
    holders: [],
    private: false,
    openable: true,
    inOutbox: false,
    by: 'self',
    storedAtMs: 0,
    modifiedMs: 0,
    safe: false,
  };
}
