// Engines that fail otherwise than Chromium: what fails now and then is asked again, what always fails is
// done without, and neither waits for ever.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { persistStorage, storageEstimate } from '../../../../../src/adapters/browser/page/quota.ts';
import { requestDevice } from '../../../../../src/adapters/browser/page/tab-lock.ts';
import { openPatiently } from '../../../../../src/adapters/browser/store/idb-opening.ts';
import { originFolder } from '../../../../../src/adapters/browser/store/origin-folder.ts';
import { openPackFolder } from '../../../../../src/adapters/browser/in-worker/opfs-packs.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe('the folder of files', () => {
  it('is asked for again when the engine fails, and done without when it goes on failing', async () => {
    for (const [failures, isGiven] of [
      [2, true],
      [3, false],
    ] as const) {
      const getDirectory = vi.fn(async () => ROOT);
      for (let time = 0; time < failures; time++) getDirectory.mockRejectedValueOnce(named('UnknownError'));
      stubStorage({ getDirectory });
      expect((await passing(originFolder('blocks'))) !== undefined).toBe(isGiven);
    }
  });

  it('is done without where there is no storage, no file system, or a refusal', async () => {
    for (const storage of [
      undefined,
      {},
      { getDirectory: vi.fn().mockRejectedValue(named('SecurityError')) },
      { getDirectory: vi.fn().mockRejectedValue(named('UnknownError')) },
    ]) {
      stubStorage(storage);
      expect(await passing(originFolder('downloads'))).toBeUndefined();
    }
  });

  it('says so when the disk is full: other places are no fuller', async () => {
    stubStorage({ getDirectory: vi.fn().mockRejectedValue(named('QuotaExceededError')) });
    await expect(originFolder('blocks')).rejects.toMatchObject({ code: 'storage-full' });
  });

  it('is done without where its files cannot be opened in place', async () => {
    for (const [refusedTimes, isGiven] of [
      [1, true],
      [Infinity, false],
    ] as const) {
      let times = 0;
      class FileHandle {
        async createSyncAccessHandle(): Promise<unknown> {
          if (times++ < refusedTimes) throw named('NotAllowedError');
          return { close: () => undefined };
        }
      }
      vi.stubGlobal('FileSystemFileHandle', FileHandle);
      stubStorage({ getDirectory: async () => ({ ...ROOT, getFileHandle: async () => new FileHandle() }) });
      expect((await passing(openPackFolder('blocks'))) !== undefined).toBe(isGiven);
    }
  });
});

describe('a database', () => {
  const database = (): { close: () => void } => ({ close: vi.fn() });

  it('is opened again when that failed once, and not when the failure is lasting', async () => {
    const opened = database();
    const open = vi.fn().mockRejectedValueOnce(named('UnknownError')).mockResolvedValue(opened);
    expect(await openPatiently(open)).toBe(opened);
    const lasting = vi.fn().mockRejectedValue(named('VersionError'));
    await expect(openPatiently(lasting)).rejects.toThrow('VersionError');
    expect(lasting).toHaveBeenCalledTimes(1);
  });

  it('is asked for again when there is no answer, and an answer that comes too late is closed', async () => {
    const [late, opened] = [database(), database()];
    let answer: (opened: { close: () => void }) => void = () => undefined;
    const open = vi
      .fn()
      .mockReturnValueOnce(new Promise((resolve) => (answer = resolve)))
      .mockResolvedValue(opened);
    expect(await passing(openPatiently(open))).toBe(opened);
    answer(late);
    await vi.advanceTimersByTimeAsync(0);
    expect(late.close).toHaveBeenCalledTimes(1);
    expect(opened.close).not.toHaveBeenCalled();
  });

  it('that never opens is given up, by name', async () => {
    const opening = openPatiently(() => new Promise<{ close(): void }>(() => undefined));
    const failed = expect(opening).rejects.toMatchObject({ name: 'TimeoutError' });
    await vi.advanceTimersByTimeAsync(60_000);
    await failed;
  });
});

it('an engine that fails to say how much it stores says nothing, and promises nothing', async () => {
  const failing = vi.fn().mockRejectedValue(named('UnknownError'));
  stubStorage({ estimate: failing, persisted: failing, persist: failing });
  expect(await storageEstimate()).toEqual({ usedBytes: 0, quotaBytes: 0 });
  expect(await persistStorage()).toBe(false);
});

it('an engine that refuses its locks is like one without', async () => {
  vi.stubGlobal('navigator', { locks: { request: vi.fn().mockRejectedValue(named('SecurityError')) } });
  const lock = await requestDevice().held;
  lock.release();
  vi.stubGlobal('navigator', {});
  (await requestDevice().held).release();
});

const ROOT = { getDirectoryHandle: async (name: string) => ({ name }) };

function named(name: string): Error {
  const error = new Error(name);
  error.name = name;
  return error;
}

function stubStorage(storage: unknown): void {
  vi.stubGlobal('navigator', { storage });
}

/** Timers pass until it settles. */
async function passing<Result>(work: Promise<Result>): Promise<Result> {
  work.catch(() => undefined);
  await vi.advanceTimersByTimeAsync(60_000);
  return work;
}
