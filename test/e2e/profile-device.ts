// A device whose browser keeps its profile in a folder, like a person's browser, so that the folder can be
// taken and searched after the browser has ended. The page tells the test every random byte that it drew, so
// the test knows which keys to look for.

import { link, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium } from '@playwright/test';
import { browserArguments, findBrowser } from '../browser.mjs';
import { dataKeyOf } from '../thief/keys.ts';
import { shareOf } from '../thief/field.ts';
import { Device } from './device.ts';
import type { Faults } from './faults.ts';

declare global {
  interface Window {
    /** The results of `crypto.getRandomValues` on this page, in hex, in order. */
    drawn: string[];
  }
}

/** The keys of one store. */
export interface StoreKeys {
  readonly kc: Buffer;
  readonly kq: Buffer;
  readonly dataKey: Buffer;
}

/** What a test knows of the stores that a page began, and a thief must not. */
export interface StoreSecrets {
  /** In the order of the stores. */
  readonly keys: readonly StoreKeys[];
  /** All key shares: of 8 fragments with k = 4. */
  readonly shares: readonly Buffer[];
}

/** How a browser ends: closed by a person, or by SIGKILL, like a crash or a dead battery. */
export type Ending = 'closed' | 'killed';

interface Running {
  readonly context: BrowserContext;
  readonly device: Device;
}

const KEY_BYTES = 32;
const K = 4;
const N = 8;
/** The interval for checking whether a killed browser's processes are gone, ms. */
const LOOK_MS = 20;

export class ProfileDevice {
  readonly name: string;
  readonly folder: string;
  readonly #appUrl: string;
  readonly #faults: Faults;
  #running: Running | undefined;
  #heldCount = 0;

  private constructor(name: string, folder: string, appUrl: string, faults: Faults) {
    this.name = name;
    this.folder = folder;
    this.#appUrl = appUrl;
    this.#faults = faults;
  }

  /** A browser with the app open, with a new profile. */
  static async launch(name: string, appUrl: string, faults: Faults): Promise<ProfileDevice> {
    const folder = await mkdtemp(join(tmpdir(), 'palm-profile-'));
    const victim = new ProfileDevice(name, folder, appUrl, faults);
    await victim.restart();
    return victim;
  }

  /** The running device. @throws Error when its browser has ended. */
  get device(): Device {
    return this.#atWork().device;
  }

  /** Starts a browser on the profile and opens the app. The previous browser must have ended. */
  async restart(): Promise<void> {
    const executablePath = findBrowser();
    const context = await chromium.launchPersistentContext(this.folder, {
      args: browserArguments(),
      viewport: { width: 1280, height: 800 },
      ...(executablePath === undefined ? {} : { executablePath }),
    });
    this.#faults.watch(context, this.name, this.#appUrl);
    await context.addInitScript(noteRandomBytes);
    const device = await Device.prepare(this.name, context, this.#appUrl);
    this.#running = { context, device };
    await device.open();
  }

  /** The secrets of the stores that the current page began since it was loaded. */
  async storeSecrets(): Promise<StoreSecrets> {
    const drawn = (await this.device.page.evaluate(() => window.drawn)).map((hex) => Buffer.from(hex, 'hex'));
    const keys = drawn.flatMap((storeId, at) => {
      const [kc, kq, salt] = drawn.slice(at + 1, at + 4);
      const isStore = [kc, kq, salt].every((key) => key?.length === KEY_BYTES) && storeId.length === 16;
      if (!isStore || kc === undefined || kq === undefined || salt === undefined) return [];
      return [{ kc, kq, dataKey: dataKeyOf(kc, kq, salt) }];
    });
    // It is not known which coefficients belong to which key: wrong pairs give bytes that are nowhere.
    const coefficients = drawn.filter(({ length }) => length === (K - 1) * KEY_BYTES);
    const shares = keys.flatMap(({ kq }) =>
      coefficients.flatMap((bytes) =>
        Array.from({ length: N }, (_, fragment) => shareOf(kq, bytes, fragment)),
      ),
    );
    return { keys, shares };
  }

  /** Ends the browser, and resolves when none of its processes is left. */
  async end(how: Ending): Promise<void> {
    const { context } = this.#atWork();
    this.#running = undefined;
    const browser = context.browser();
    if (browser === null) throw new Error('A persistent context has a browser.');
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    // A process that is just starting is listed as 0.
    const ids = processInfo.flatMap(({ id }) => (id > 0 ? [id] : []));
    if (how === 'closed') {
      await context.close();
    } else {
      const closed = context.waitForEvent('close');
      for (const { type, id } of processInfo) if (type === 'browser') process.kill(id, 'SIGKILL');
      await closed;
    }
    for (const id of ids) await untilGone(id);
  }

  /**
   * Preserves the bytes of the origin's files when the browser deletes them: a second name for each file
   * keeps what would be in the disk's freed space.
   */
  async holdFiles(): Promise<void> {
    await mkdir(this.heldFolder, { recursive: true });
    const files = join(this.folder, 'Default', 'File System');
    for (const entry of await readdir(files, { recursive: true, withFileTypes: true })) {
      if (!entry.isFile() || !/^\d{8}$/.test(entry.name)) continue;
      this.#heldCount += 1;
      await link(join(entry.parentPath, entry.name), join(this.heldFolder, `${this.#heldCount}`));
    }
  }

  /** Where `holdFiles` keeps the files. */
  get heldFolder(): string {
    return `${this.folder}-held`;
  }

  /** Ends the browser, if it is running, and removes its profile. */
  async remove(): Promise<void> {
    if (this.#running !== undefined) await this.end('closed');
    // A process of the browser may still write while the folder is removed.
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
    await rm(this.heldFolder, { recursive: true, force: true });
  }

  #atWork(): Running {
    if (this.#running === undefined) throw new Error(`The browser of ${this.name} has ended.`);
    return this.#running;
  }
}

async function untilGone(processId: number): Promise<void> {
  while (isAlive(processId)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    // The process no longer exists.
    return false;
  }
}

/** Runs in each page before the app does, as source text. */
function noteRandomBytes(): void {
  window.drawn = [];
  const real = crypto.getRandomValues.bind(crypto);
  crypto.getRandomValues = <Values extends ArrayBufferView<ArrayBuffer>>(values: Values): Values => {
    real(values);
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    window.drawn.push(Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(''));
    return values;
  };
}
