// Blocks in files of the origin's own file system, in the worker that keeps them.

import { Device } from './device.ts';
import { expect, test } from './palm-fixture.ts';
import { expectedBytes } from './seeded-bytes.ts';

/** What workers have in addition to pages: `gc` comes with `--expose-gc`. */
interface InWorker {
  gc(options: { readonly execution: 'async' }): Promise<void>;
  readonly FileSystemFileHandle: {
    readonly prototype: { createSyncAccessHandle(this: unknown): Promise<unknown> };
  };
}

test('a store ends when garbage is collected while a file of blocks is being opened', async ({
  playwright,
  launchOptions,
  relay,
  faults,
}) => {
  // In Chromium an opening never ends if its handle is collected:
  // src/adapters/browser/in-worker/sync-access.ts.
  const args = [...(launchOptions.args ?? []), '--js-flags=--expose-gc'];
  const browser = await playwright.chromium.launch({ ...launchOptions, args });
  try {
    const context = await browser.newContext();
    faults.watch(context, 'Laptop', relay.app);
    const laptop = await Device.prepare('Laptop', context, relay.app);
    await laptop.open();
    await laptop.createPool('Home');
    const worker = laptop.page.workers().find((each) => each.url().includes('fragment'));
    if (worker === undefined) throw new Error('The fragment worker is missing.');
    await worker.evaluate(() => {
      const { gc, FileSystemFileHandle: handles } = globalThis as unknown as InWorker;
      const open = handles.prototype.createSyncAccessHandle;
      handles.prototype.createSyncAccessHandle = function () {
        const opening = open.call(this);
        void gc({ execution: 'async' });
        return opening;
      };
    });
    const content = { seed: 7, length: 9_000_000 };
    const { fileId } = await laptop.store(content, { name: 'video.mp4' });
    expect(await laptop.read(fileId)).toEqual(expectedBytes(content.seed, content.length));
    await laptop.close();
  } finally {
    await browser.close();
  }
});
