// Tabs that share a device: calls, reads and what is shown, while the tab that has the device ends, freezes,
// falls silent, or says what nobody expects.

import { beforeEach, describe, expect, it } from 'vitest';
import { PalmError } from '../../../../src/core/model/errors.ts';
import { pieceStream } from '../../../../src/runtime/read/piece-stream.ts';
import { DONE, fileOf, TabWorld, TEN, type TestTab } from '../../../fixtures/tab-world.ts';

let world: TabWorld;
let first: TestTab;
let second: TestTab;

beforeEach(async () => {
  world = new TabWorld();
  first = world.open();
  await first.palm.ready;
  second = world.open();
  await second.palm.ready;
});

describe('a second tab', () => {
  it('shows what the first one sees, as it changes', async () => {
    expect(second.devices).toEqual([]);
    for (const name of ['a', 'b', 'c']) world.files.set(name, fileOf(name));
    first.device.changed();
    await world.settle();
    const [a, b] = second.palm.status().files;
    expect(second.palm.status().files).toEqual([fileOf('a'), fileOf('b'), fileOf('c')]);
    world.files.delete('a');
    world.files.set('c', { ...fileOf('c'), reach: 4 });
    first.device.lock = 'unlocked';
    first.device.changed();
    await world.settle();
    expect(second.palm.status()).toMatchObject({ lock: 'unlocked', files: [{ name: 'b' }, { reach: 4 }] });
    expect(second.palm.status().files[0]).toBe(b);
    expect(a).toEqual(fileOf('a'));
    expect(() => second.palm.invites()).toThrow(expect.objectContaining({ code: 'not-in-pool' }));
    expect(() => second.palm.policy()).toThrow(expect.objectContaining({ code: 'locked' }));
  });

  it('is shown the next change only after it took the last', async () => {
    second.isStopped = true;
    let shownCount = 0;
    const endpoint = [...world.endpoints].find(
      ({ tab, name }) => tab === second && name.startsWith('palm/tab/'),
    );
    if (endpoint === undefined) throw new Error('no channel');
    const { onMessage } = endpoint;
    endpoint.onMessage = (message) => {
      shownCount += 1;
      onMessage(message);
    };
    second.isStopped = false;
    for (let at = 0; at < 100; at++) {
      world.files.set(String(at), fileOf(String(at)));
      first.device.changed();
    }
    await world.settle();
    expect(second.palm.status().files).toHaveLength(100);
    expect(shownCount).toBe(2);
  });

  it('opens the camera itself, for the doctor: nobody sees what the browser asks in the first one', async () => {
    const cameraOf = async (options: { camera?: boolean }) =>
      (await second.palm.diagnose(options)).findings.map(({ what, reason }) => [what, reason.kind]);
    expect(await cameraOf({})).toEqual([['camera', 'camera-there']]);
    expect([first.openedCameras, second.openedCameras]).toEqual([0, 0]);
    expect(await cameraOf({ camera: true })).toEqual([['camera', 'camera-works']]);
    expect([first.openedCameras, second.openedCameras]).toEqual([0, 1]);
    expect(first.device.visits.map(({ camera = false }) => camera)).toEqual([false, false]);
  });

  it('hands over calls with blobs, orders, and their ends', async () => {
    const storing = second.palm.store(new Blob(['ten bytes!']), TEN);
    second.palm.cancel('transfer-7');
    second.palm.pairing.cancel();
    await world.settle();
    expect(first.device.orders).toEqual(['cancel transfer-7', 'cancel pairing']);
    expect(first.device.stores).toMatchObject([{ name: 'ten.txt', text: 'ten bytes!' }]);
    first.device.stores[0]?.end(DONE);
    await expect(storing).resolves.toEqual(DONE);
    await expect(second.palm.pairing.answer('code')).resolves.toEqual({ code: 'answer to code' });
  });

  it('meets failures as failures, and bugs as bugs', async () => {
    const storing = second.palm.store(new Blob(['x']), TEN);
    await world.settle();
    first.device.stores[0]?.fail(new PalmError({ code: 'link-needed', reason: 'no-link' }));
    await expect(storing).rejects.toBeInstanceOf(PalmError);
    await expect(storing).rejects.toMatchObject({ failure: { code: 'link-needed', reason: 'no-link' } });
    await expect(second.palm.rotate()).rejects.toMatchObject({
      name: 'TypeError',
      message: 'rotate is broken',
      stack: expect.stringContaining('tab-world.ts'),
    });
    const unclonable = { name: 'x', mime: (() => undefined) as unknown as string };
    await expect(second.palm.store(new Blob(), unclonable)).rejects.toThrow('could not be cloned');
  });

  it('aborts a call where it is performed', async () => {
    const aborting = new AbortController();
    second.palm.store(new Blob(['x']), { ...TEN, signal: aborting.signal }).catch(() => undefined);
    await world.settle();
    expect(first.device.stores[0]?.signal?.aborted).toBe(false);
    aborting.abort();
    await world.settle();
    expect(first.device.stores[0]?.signal?.aborted).toBe(true);
  });

  it('hears that everything is gone', async () => {
    first.palm.tellLoss();
    await world.settle();
    expect([first.isGone, second.isGone]).toEqual([false, true]);
  });
});

describe('when the tab that has the device ends', () => {
  it('a store is made again with its blob, and settles once', async () => {
    const storing = second.palm.store(new Blob(['ten bytes!']), TEN);
    await world.settle();
    first.end();
    await world.settle();
    expect(second.device.stores).toMatchObject([{ name: 'ten.txt', text: 'ten bytes!' }]);
    second.device.stores[0]?.end(DONE);
    await expect(storing).resolves.toEqual(DONE);
    expect(second.endedTabs).toBe(1);
  });

  it('a third tab’s store goes on through the next one', async () => {
    const third = world.open();
    await third.palm.ready;
    const storing = third.palm.store(new Blob(['of the third']), TEN);
    await world.settle();
    first.end();
    await world.settle();
    expect(third.devices).toEqual([]);
    expect(second.device.stores).toMatchObject([{ text: 'of the third' }]);
    second.device.stores[0]?.end(DONE);
    await expect(storing).resolves.toEqual(DONE);
  });

  it('a removal that was done is done, and one that fails otherwise fails', async () => {
    const removals = [second.palm.remove('a'), second.palm.remove('b')];
    await world.settle();
    first.end();
    await world.settle();
    second.device.removals[0]?.fail(new PalmError({ code: 'unknown-file', reason: 'not-heard-of' }));
    second.device.removals[1]?.fail(new PalmError({ code: 'log-full', reason: 'nothing-more' }));
    await expect(removals[0]).resolves.toBeUndefined();
    await expect(removals[1]).rejects.toMatchObject({ code: 'log-full' });
  });

  it('a first removal of an unknown file is refused', async () => {
    const removal = second.palm.remove('a');
    await world.settle();
    first.device.removals[0]?.fail(new PalmError({ code: 'unknown-file', reason: 'not-heard-of' }));
    await expect(removal).rejects.toMatchObject({ code: 'unknown-file' });
  });

  it('a join that may have been done is not said to be one too many', async () => {
    const inPool = new PalmError({ code: 'already-in-pool' });
    const joining = second.palm.join('url');
    await world.settle();
    first.end();
    await world.settle();
    second.device.joins[0]?.fail(inPool);
    await expect(joining).rejects.toMatchObject({ failure: { code: 'other-tab', reason: 'ended-unheard' } });
    const another = second.palm.join('url');
    await world.settle();
    second.device.joins[1]?.fail(inPool);
    await expect(another).rejects.toMatchObject({ code: 'already-in-pool' });
  });

  it('a call that must not be made twice says that nobody knows', async () => {
    const locking = second.palm.lock('a passphrase');
    await world.settle();
    first.end();
    await expect(locking).rejects.toMatchObject({ failure: { code: 'other-tab', reason: 'ended-unheard' } });
  });

  it('a read goes on from the byte that it had reached', async () => {
    const bytes = Uint8Array.from({ length: 95 }, (_, at) => at);
    world.bytes = bytes;
    first.device.readableBytes = 45;
    const reading = readAll(pieceStream(second.palm.pieces('file', { start: 5 })));
    await world.settle();
    first.end();
    await world.settle();
    expect(second.device.reads.map(({ start }) => start)).toEqual([45]);
    await expect(reading).resolves.toEqual([...bytes.subarray(5)]);
  });

  it('shows the files of before until the device is open again', async () => {
    world.files.set('a', fileOf('a'));
    first.device.changed();
    await world.settle();
    const seen: number[] = [];
    second.palm.subscribe(() => seen.push(second.palm.status().files.length));
    first.end();
    await world.settle(() => seen.push(second.palm.status().files.length));
    expect(second.devices).toHaveLength(1);
    expect(seen.every((count) => count === 1)).toBe(true);
  });

  it('goes on looking at nearby pools where the device is opened next, until it stops', async () => {
    await second.palm.lobby.look();
    expect(first.device.lookCount).toBe(1);
    first.end();
    await world.settle();
    expect(second.device.lookCount).toBe(1);
    second.freeze();
    await world.settle();
    second.resume();
    await world.settle();
    expect(second.device.lookCount).toBe(1);
    expect(second.devices).toHaveLength(2);
    second.palm.lobby.stopLooking();
    second.freeze();
    second.resume();
    await world.settle();
    expect(second.devices).toHaveLength(3);
    expect(second.device.lookCount).toBe(0);
  });

  it('opens private files again, unless the device was locked in between', async () => {
    await second.palm.openLink('https://palm/#/file/1');
    first.end();
    await world.settle();
    expect(second.device.opened).toEqual(['https://palm/#/file/1']);
    const third = world.open();
    await third.palm.ready;
    await third.palm.openLink('https://palm/#/file/2');
    second.device.lock = 'locked';
    second.device.changed();
    await world.settle();
    second.end();
    await world.settle();
    expect(third.device.opened).toEqual([]);
  });
});

describe('a tab that is frozen', () => {
  it('gives the device back, writes nothing, and comes back as one of the others', async () => {
    const storing = first.palm.store(new Blob(['of the first']), TEN);
    await world.settle();
    const [before] = first.devices;
    first.freeze();
    await world.settle();
    expect(before?.isEnded).toBe(true);
    await expect(second.palm.openLink('x')).resolves.toEqual({ fileId: 'private' });
    expect(second.devices).toHaveLength(1);
    first.resume();
    await world.settle();
    expect(first.devices).toHaveLength(1);
    expect(second.device.stores).toMatchObject([{ text: 'of the first' }]);
    second.device.stores[0]?.end(DONE);
    await expect(storing).resolves.toEqual(DONE);
  });

  it('runs the device again if it is alone', async () => {
    second.end();
    first.freeze();
    first.resume();
    await world.settle();
    expect(first.devices).toHaveLength(2);
    await expect(first.palm.openLink('x')).resolves.toEqual({ fileId: 'private' });
  });

  it('is passed over while it waits in line', async () => {
    const third = world.open();
    await third.palm.ready;
    second.freeze();
    first.end();
    await world.settle();
    expect(second.devices).toEqual([]);
    expect(third.devices).toHaveLength(1);
    second.resume();
    await expect(second.palm.openLink('x')).resolves.toEqual({ fileId: 'private' });
  });
});

describe('tabs that cannot speak', () => {
  it('says that another version has the device, and gets it when that ends', async () => {
    const other = world.open('v2');
    await world.settle();
    expect(other.sharing).toEqual(['other-version']);
    await expect(other.palm.leave()).rejects.toMatchObject({
      failure: { code: 'other-tab', reason: 'leave-there' },
    });
    second.end();
    first.end();
    await other.palm.ready;
    expect(other.sharing).toEqual(['other-version', 'usable']);
    expect(other.devices).toHaveLength(1);
  });

  it('says that the other tab is silent, until it answers', async () => {
    first.isStopped = true;
    const third = world.open();
    await world.settle();
    third.passTime();
    expect(third.sharing).toEqual(['silent']);
    first.isStopped = false;
    third.passTime();
    await third.palm.ready;
    expect(third.sharing.at(-1)).toBe('usable');
    expect(third.devices).toEqual([]);
  });

  it('leaves alone what is no message, is late, or answers nothing', async () => {
    const names = [...world.endpoints].map(({ name }) => name);
    const junk: unknown[] = [null, 7, 'done', {}, { kind: 'call' }, { kind: 'done', id: '1' }];
    junk.push({ kind: 'call', id: 1, call: { name: 'constructor', args: [] } });
    junk.push({ kind: 'call', id: 1, call: { name: 'store', args: 'none' } });
    junk.push({ kind: 'status', changes: {} }, { kind: 'status' }, { kind: 'piece', id: 1, bytes: [1, 2] });
    junk.push(
      { kind: 'end', id: 1, byteCount: -0.5 },
      { kind: 'hello', tab: 7 },
      { kind: 'here', build: 'v1' },
    );
    junk.push({ kind: 'done', id: 99, value: 1 }, { kind: 'failed', id: 99 }, { kind: 'next', id: 99 });
    junk.push({ kind: 'order', order: { kind: 'cancel' } }, { kind: 'read', id: 3, fileId: 3, options: {} });
    const stranger = world.open('v9');
    for (const name of names) for (const message of junk) stranger.post(name, message);
    await world.settle();
    await expect(second.palm.openLink('x')).resolves.toEqual({ fileId: 'private' });
    expect(first.device.orders).toEqual([]);
    expect(first.device.stores).toEqual([]);
  });

  it('an end that comes before all pieces is a bug, not the end of the file', async () => {
    world.bytes = new Uint8Array(30);
    first.device.readableBytes = 10;
    const reading = readAll(pieceStream(second.palm.pieces('file', {})));
    await world.settle();
    const name = [...world.endpoints].find(
      (one) => one.tab === second && one.name.startsWith('palm/tab/'),
    )?.name;
    for (let id = 1; id < 9; id++) world.open('v9').post(name ?? '', { kind: 'end', id, byteCount: 30 });
    await expect(reading).rejects.toThrow('30 bytes of a file, and 10 arrived');
  });

  it('stops the reads of a tab that ended, and lets its stores go on', async () => {
    world.bytes = new Uint8Array(30);
    first.device.readableBytes = 10;
    void readAll(pieceStream(second.palm.pieces('file', {})));
    second.palm.store(new Blob(['x']), TEN).catch(() => undefined);
    await world.settle();
    second.end();
    await world.settle();
    expect(first.device.reads).toMatchObject([{ isCancelled: true }]);
    expect(first.device.stores[0]?.signal?.aborted).toBe(false);
    expect(first.endedTabs).toBe(1);
  });

  it('goes on with interrupted stores of the ended tab whose files open, and not with its own', async () => {
    const storing = second.palm.store(new Blob(['ten bytes!']), TEN);
    await world.settle();
    const common = { path: '', private: false, sealedBytes: 1 };
    const unfinished = [
      { ...common, id: 'own', name: 'ten.txt', size: 10, needs: 'nothing' },
      { ...common, id: 'handle', name: 'film.mp4', size: 99, needs: 'nothing' },
      { ...common, id: 'lost', name: 'lost.mp4', size: 99, needs: 'file' },
    ] as const;
    world.unfinished = [...unfinished, { ...common, id: 'third', name: 'x', size: 1, needs: 'nothing' }];
    const third = world.open();
    await third.palm.ready;
    const thirdStoring = third.palm.store(new Blob(['x']), { name: 'x' });
    await world.settle();
    first.end();
    await world.settle();
    // The third tab makes its call again, so that this store runs.
    expect(second.device.stores.map(({ name }) => name)).toEqual(['ten.txt', 'x']);
    world.unfinished = unfinished;
    second.passTime();
    expect(second.device.resumed).toEqual(['handle']);
    second.device.stores[1]?.end(DONE);
    await thirdStoring;
    second.device.stores[0]?.end(DONE);
    await storing;
  });
});

async function readAll(stream: ReadableStream<Uint8Array>): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of stream) bytes.push(...piece);
  return bytes;
}
