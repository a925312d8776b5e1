// The page's downloads: only whole files are delivered, no byte is fetched twice without need, and each
// download ends in words that people can act on.

import { describe, expect, test } from 'vitest';
import { PalmError } from '../../../src/core/model/errors.ts';
import type { Failure } from '../../../src/core/model/failures.ts';
import { MAX_DOWNLOADS } from '../../../src/ui/download/downloads.ts';
import { en } from '../../../src/ui/text/en.ts';
import { type DownloadWorld, fileOf, MIB, openPage, TestDisk } from '../../fixtures/download-world.ts';

const SMALL = fileOf('small', 3 * MIB);
const FILM = fileOf('film', 20 * MIB);
const LONG = fileOf('long', 65 * MIB);

const NO_FILES: Failure = { code: 'unsupported', reason: 'no-files' };
const WORKER_FAILED: Failure = { code: 'worker-failed', reason: 'downloads' };

describe('where a file goes', () => {
  test('a small one through memory, under a safe name', async () => {
    const page = openPage([{ ...SMALL, name: '../small:1.bin' }]);
    await start(page, { ...SMALL, name: '../small:1.bin' });
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(page.handed).toEqual([{ name: '.._small_1.bin', size: SMALL.size }]);
    expect(page.disk.files.size).toBe(0);
    expect(page.asked).toEqual([]);
  });

  test('a larger one through the disk, without a question', async () => {
    const page = openPage([FILM]);
    page.picker = 'file';
    await start(page, FILM);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(page.handed).toEqual([{ name: 'film.bin', size: FILM.size }]);
    expect(page.asked).toEqual([]);
    expect(page.said).toEqual(['“film.bin” is in your downloads']);
    expect(page.downloads.list.value).toEqual([]);
  });

  test('a very large one to a file that the person picks, and is left there', async () => {
    const page = openPage([LONG]);
    page.picker = 'file';
    await start(page, LONG);
    await page.until('it is saved', () => page.said.length === 1);
    expect(page.asked).toEqual(['long.bin']);
    expect(page.said).toEqual(['“long.bin” is saved']);
    expect(page.handed).toEqual([]);
    expect(page.disk.forgotten).toEqual(['long']);
    expect(page.disk.dropped).toEqual([]);
  });

  test('a private one never to a picked file, whose handle has its name', async () => {
    const diary = { ...LONG, private: true };
    const page = openPage([diary]);
    page.picker = 'file';
    await start(page, diary);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(page.asked).toEqual([]);
    expect(page.disk.files.get('long')?.saved).toMatchObject({ destination: 'kept' });
  });

  test('a very large one through the disk where there is no picker', async () => {
    const page = openPage([LONG]);
    await start(page, LONG);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(page.handed).toEqual([{ name: 'long.bin', size: LONG.size }]);
  });

  test('nowhere, and without a word, when the person closes the picker', async () => {
    const page = openPage([LONG]);
    page.picker = 'cancel';
    await start(page, LONG);
    expect(page.downloads.list.value).toEqual([]);
    expect(alertsOf(page)).toEqual([]);
    expect(page.said).toEqual([]);
    expect(page.pool.reads).toEqual([]);
    expect(page.disk.files.size).toBe(0);

    page.picker = 'file';
    await start(page, LONG);
    await page.until('it is saved when it is asked for again', () => page.said.length === 1);
    expect(page.asked).toEqual(['long.bin', 'long.bin']);
  });

  test('through memory where the browser cannot keep files, if it fits', async () => {
    const page = openPage([FILM, LONG]);
    page.disk.openFailures.push(NO_FILES, NO_FILES);
    await start(page, FILM);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(page.disk.files.size).toBe(0);
    await start(page, LONG);
    await page.until('it is refused', () => alertsOf(page).length === 1);
    expect(alertsOf(page)[0]).toContain('cannot keep a file of this size');
    expect(alertsOf(page)[0]).toContain('the pool still has the file');
    expect(page.pool.reads).toHaveLength(1);
    await page.until('its record is gone', () => page.disk.files.size === 0);
  });

  test('any without its name on the disk', async () => {
    const page = openPage([FILM]);
    page.pool.scripts.push({ stuck: true });
    await start(page, FILM);
    expect(JSON.stringify(page.disk.files.get('film')?.saved)).not.toContain('.bin');
  });
});

describe('nothing is handed over', () => {
  test.each([
    ['ends early', -1],
    ['runs over', 1],
  ])('when the read %s', async (_how, extraBytes) => {
    const page = openPage([SMALL, FILM]);
    for (const wanted of [SMALL, FILM]) {
      page.pool.scripts.push({ endByte: wanted.size + extraBytes });
      await start(page, wanted);
    }
    await page.until('both are refused', () => alertsOf(page).length === 2);
    for (const text of alertsOf(page)) expect(text).toContain('Nothing was saved');
    expect(page.handed).toEqual([]);
    await page.until('nothing is left', () => page.disk.files.size === 0);
  });

  test('when the file on the disk differs from what was written', async () => {
    const page = openPage([FILM]);
    page.disk.file = () => Promise.resolve(new Blob(['cut']));
    await start(page, FILM);
    await page.until('it stops', () => stateOf(page, 'film') === 'stopped');
    expect(page.handed).toEqual([]);
  });
});

describe('an interrupted download', () => {
  test.each<Failure>([
    { code: 'not-enough-fragments', reach: 3, k: 4, silent: [], isHeard: false },
    { code: 'link-closed', reason: 'before-the-answer' },
    { code: 'deadline', reason: 'no-answer' },
    { code: 'refused', reason: 'not-there' },
  ])('by $code continues from the bytes that arrived, without help', async (failure) => {
    const page = openPage([FILM]);
    page.pool.scripts.push({ endByte: 9 * MIB, error: new PalmError(failure) });
    await start(page, FILM);
    await page.until('it waits', () => stateOf(page, 'film') === 'waiting');
    expect(page.downloads.list.value[0]?.arrivedBytes).toBe(9 * MIB);
    page.pass(page.pauses.at(-1) ?? 0);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(startsOf(page)).toEqual([0, 9 * MIB]);
    expect(alertsOf(page)).toEqual([]);
  });

  test('waits for the devices that it needs, and for a private file’s link', async () => {
    const page = openPage([{ ...FILM, reach: 1 }, fileOf('diary', 20 * MIB, { openable: false })]);
    await start(page, { ...FILM, reach: 1 });
    await start(page, fileOf('diary', 20 * MIB, { openable: false }));
    expect(page.downloads.list.value.map(({ state }) => state)).toEqual([
      { kind: 'waiting', need: 'devices' },
      { kind: 'waiting', need: 'link' },
    ]);
    expect(page.pool.reads).toEqual([]);
    page.setFiles([FILM, fileOf('diary', 20 * MIB)]);
    await page.until('both are handed over', () => page.handed.length === 2);
  });

  test('pauses longer after each attempt without a byte, but not for ever', async () => {
    const page = openPage([FILM]);
    const away = { endByte: 0, error: new PalmError({ code: 'link-closed', reason: 'before-the-answer' }) };
    for (let time = 0; time < 8; time++) page.pool.scripts.push(away);
    await start(page, FILM);
    for (let time = 1; time <= 8; time++) {
      await page.until('it waits', () => page.pauses.length === time);
      page.pass(page.pauses.at(-1) ?? 0);
    }
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(page.pauses.slice(0, 8).map((ms) => ms / 1_000)).toEqual([1, 2, 4, 8, 16, 30, 30, 30]);
  });

  test('by a full disk says what is kept, and continues from there when told to', async () => {
    const page = openPage([FILM]);
    page.disk.capacityBytes = 10 * MIB;
    await start(page, FILM);
    await page.until('it stops', () => stateOf(page, 'film') === 'stopped');
    const [view] = page.downloads.list.value;
    expect(view?.state).toEqual({
      kind: 'stopped',
      reason: `${en.errorText({ code: 'storage-full', reason: 'download' })} 10 MB are kept: the download continues from there.`,
    });
    page.disk.capacityBytes = Infinity;
    await page.downloads.continue('film');
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(startsOf(page)).toEqual([0, 10 * MIB]);
  });

  test('by a worker that dies tries twice more, then asks', async () => {
    const page = openPage([FILM]);
    page.disk.openFailures.push(WORKER_FAILED, WORKER_FAILED, WORKER_FAILED);
    await start(page, FILM);
    for (const time of [1, 2]) {
      await page.until('it pauses', () => page.pauses.length === time);
      page.pass(page.pauses.at(-1) ?? 0);
    }
    await page.until('it stops', () => stateOf(page, 'film') === 'stopped');
    await page.downloads.continue('film');
    await page.until('it is handed over', () => page.handed.length === 1);
  });

  test('by the file’s removal is deleted, and says so', async () => {
    const page = openPage([FILM]);
    page.pool.scripts.push({
      endByte: 9 * MIB,
      error: new PalmError({ code: 'removed-file', reason: 'while-read' }),
    });
    await start(page, FILM);
    await page.until('that is said', () => alertsOf(page).length === 1);
    expect(alertsOf(page)[0]).toContain('“film.bin” was removed from the pool');
    await page.until('nothing is left', () => page.disk.files.size === 0);

    const waiting = openPage([{ ...FILM, reach: 0 }]);
    await start(waiting, { ...FILM, reach: 0 });
    waiting.setFiles([]);
    await waiting.until('that is said', () => alertsOf(waiting).length === 1);
    await waiting.until('nothing is left', () => waiting.disk.files.size === 0);
  });

  test('by a bug is stopped with the bug’s name', async () => {
    const page = openPage([SMALL]);
    page.pool.scripts.push({ endByte: 0, error: new TypeError('x is not a function') });
    await start(page, SMALL);
    await page.until('it stops', () => stateOf(page, 'small') === 'stopped');
    expect(JSON.stringify(page.downloads.list.value[0]?.state)).toContain('x is not a function');
  });
});

describe('the person', () => {
  test('cancels, and nothing stays', async () => {
    const page = openPage([FILM]);
    page.pool.scripts.push({ stuck: true });
    await start(page, FILM);
    await page.until('it runs', () => page.pool.reads.length === 1);
    page.downloads.cancel('film');
    expect(page.downloads.list.value).toEqual([]);
    await page.until('nothing is left', () => page.disk.files.size === 0);
    expect(alertsOf(page)).toEqual([]);

    await start(page, FILM);
    await page.until('it is handed over when asked for again', () => page.handed.length === 1);
    expect(startsOf(page)).toEqual([0, 0]);
  });

  test('asks for one file twice and gets it once', async () => {
    const page = openPage([FILM]);
    await Promise.all([start(page, FILM), start(page, FILM)]);
    await start(page, FILM);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(page.pool.reads).toHaveLength(1);
  });

  test('asks again a little later and gets the file immediately; in the end the disk is free again', async () => {
    const page = openPage([FILM]);
    await start(page, FILM);
    await page.until('it is handed over', () => page.handed.length === 1);
    page.pass(5 * 60_000);
    await start(page, FILM);
    expect(page.handed).toHaveLength(2);
    expect(page.pool.reads).toHaveLength(1);
    page.pass(6 * 60_000);
    expect(page.disk.files.size).toBe(1);
    page.pass(5 * 60_000);
    await page.until('nothing is left', () => page.disk.files.size === 0);
  });

  test('starts many: three run, the others wait their turn, and too many are refused', async () => {
    const files = Array.from({ length: MAX_DOWNLOADS + 1 }, (_, index) => fileOf(`f${index}`, 9 * MIB));
    const page = openPage(files);
    for (let index = 0; index < 3; index++) page.pool.scripts.push({ stuck: true });
    for (const one of files) await start(page, one);
    const states = page.downloads.list.value.map(({ state }) => state.kind);
    expect(states.slice(0, 4)).toEqual(['running', 'running', 'running', 'queued']);
    expect(states).toHaveLength(MAX_DOWNLOADS);
    expect(alertsOf(page)[0]).toContain(`${MAX_DOWNLOADS} downloads are under way`);
    page.downloads.cancel('f0');
    await page.until('the next ones run', () => page.handed.length === MAX_DOWNLOADS - 3);
  });

  test('is locked: what was gathered is deleted, and what was delivered stays for its time', async () => {
    const page = openPage([FILM, fileOf('done', 9 * MIB)]);
    await start(page, fileOf('done', 9 * MIB));
    await page.until('one is handed over', () => page.handed.length === 1);
    page.pool.scripts.push({ stuck: true });
    await start(page, FILM);
    page.lock();
    await page.until('one is left', () => page.disk.files.size === 1);
    let turns = 100;
    await page.until('anything else would be deleted', () => turns-- === 0);
    expect([...page.disk.files.keys()]).toEqual(['done']);
    page.pass(3_600_000);
    await page.until('nothing is left', () => page.disk.files.size === 0);
    expect(alertsOf(page)).toEqual([]);
  });

  test('leaves the pool, and nothing stays', async () => {
    const page = openPage([FILM, fileOf('done', 9 * MIB)]);
    await start(page, fileOf('done', 9 * MIB));
    await page.until('one is handed over', () => page.handed.length === 1);
    page.pool.scripts.push({ stuck: true });
    await start(page, FILM);
    page.leavePool();
    await page.until('nothing is left', () => page.disk.files.size === 0);
    expect(alertsOf(page)).toEqual([]);
  });
});

describe('a new page', () => {
  test('continues where the last one ended', async () => {
    const last = openPage([FILM]);
    last.pool.scripts.push({
      endByte: 9 * MIB,
      error: new PalmError({ code: 'link-closed', reason: 'before-the-answer' }),
    });
    await start(last, FILM);
    await last.until('it waits', () => stateOf(last, 'film') === 'waiting');
    last.downloads.close();

    const page = openPage([FILM], last.disk);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(startsOf(page)).toEqual([9 * MIB]);
  });

  test('keeps a closed page’s download on the disk', async () => {
    const page = openPage([FILM]);
    page.pool.scripts.push({ stuck: true });
    await start(page, FILM);
    await page.until('it runs', () => page.pool.reads.length === 1);
    page.downloads.close();
    await page.until('it is closed', () => page.disk.files.get('film')?.isOpen === false);
    expect(page.disk.dropped).toEqual([]);
  });

  test('deletes what the pool no longer has, and says so', async () => {
    const disk = new TestDisk();
    disk.put(saved('film', 9 * MIB));
    const page = openPage([SMALL], disk);
    await page.until('nothing is left', () => disk.files.size === 0);
    expect(alertsOf(page)).toHaveLength(1);
    expect(alertsOf(page)[0]).toContain('was removed from the pool');
  });

  test('frees the disk of delivered files when their time is over', async () => {
    const disk = new TestDisk();
    disk.put({ ...saved('film', FILM.size), handedAtMs: 0 });
    const page = openPage([FILM], disk);
    await page.until('it is looked at', () => page.pauses.length === 1);
    expect(page.pool.reads).toEqual([]);
    page.pass(page.pauses[0] ?? 0);
    await page.until('nothing is left', () => disk.files.size === 0);
  });

  test('asks before it continues to write to a picked file', async () => {
    const disk = new TestDisk();
    disk.put({ ...saved('long', 16 * MIB), size: LONG.size, destination: 'picked' });
    disk.permission = 'prompt';
    const page = openPage([LONG], disk);
    await page.until('it is taken up', () => stateOf(page, 'long') === 'stopped');
    page.setFiles([LONG]);
    await page.until('it still waits', () => stateOf(page, 'long') === 'stopped');
    expect(page.pool.reads).toEqual([]);
    disk.permission = 'denied';
    await page.downloads.continue('long');
    expect(stateOf(page, 'long')).toBe('stopped');
    disk.permission = 'prompt';
    await page.downloads.continue('long');
    await page.until('it is saved', () => page.said.length === 1);
    expect(startsOf(page)).toEqual([16 * MIB]);
  });

  test('whose disk cannot be read says so, and still downloads', async () => {
    const disk = new TestDisk();
    disk.list = () => Promise.reject(new PalmError({ code: 'storage-failed', reason: 'files-not-given' }));
    const page = openPage([SMALL], disk);
    await start(page, SMALL);
    await page.until('it is handed over', () => page.handed.length === 1);
    expect(alertsOf(page)).toEqual([
      'Interrupted downloads could not be resumed. This browser does not give Palm its files now. Other devices keep their fragments; reload to try again.',
    ]);
  });
});

async function start(page: DownloadWorld, wanted: Parameters<DownloadWorld['downloads']['start']>[0]) {
  await page.downloads.start(wanted);
}

function stateOf(page: DownloadWorld, fileId: string): string | undefined {
  return page.downloads.list.value.find((view) => view.fileId === fileId)?.state.kind;
}

function startsOf(page: DownloadWorld): number[] {
  return page.pool.reads.map(({ start: from }) => from);
}

function alertsOf(page: DownloadWorld): string[] {
  return page.alerts.list.value.map(({ text }) => text);
}

function saved(fileId: string, durableBytes: number) {
  const destination = 'kept' as const;
  return { fileId, size: FILM.size, destination, durableBytes, handedAtMs: undefined };
}
