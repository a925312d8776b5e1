// A device whose browser keeps its profile in a folder, as a person's browser does, so that the folder can be taken and
// searched once the browser has ended. The page tells the test every random byte that it drew, so that the test knows
// the keys that it looks for.

import { mkdtemp, rm } from 'node:fs/promises';
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
    /** What `crypto.getRandomValues` gave this page, in hex, in order. */
    drawn: string[];
  }
}

/** The keys of one store. */
export interface StoreKeys {
  readonly kc: Buffer;
  readonly kq: Buffer;
  readonly dataKey: Buffer;
}

/** What a test knows of the stores that a page began, and no thief should. */
export interface StoreSecrets {
  /** In the order of the stores. */
  readonly keys: readonly StoreKeys[];
  /** All key shares, of 8 fragments with k = 4. */
  readonly shares: readonly Buffer[];
}

/** How a browser ends: as a person closes it, or by SIGKILL, as a crash or a dead battery ends it. */
type Ending = 'closed' | 'killed';

const KEY_BYTES = 32;
const K = 4;
const N = 8;
/** Between two looks whether a killed browser's processes are gone, ms. */
const LOOK_MS = 20;

export class ProfileDevice {
  readonly device: Device;
  readonly folder: string;
  readonly #context: BrowserContext;

  private constructor(device: Device, folder: string, context: BrowserContext) {
    this.device = device;
    this.folder = folder;
    this.#context = context;
  }

  /** A browser at the app, with a new profile or the one in `folder`. */
  static async launch(name: string, appUrl: string, faults: Faults, folder?: string): Promise<ProfileDevice> {
    const profile = folder ?? (await mkdtemp(join(tmpdir(), 'palm-profile-')));
    const executablePath = findBrowser();
    const context = await chromium.launchPersistentContext(profile, {
      args: browserArguments(),
      viewport: { width: 1280, height: 800 },
      ...(executablePath === undefined ? {} : { executablePath }),
    });
    faults.watch(context, name, appUrl);
    await context.addInitScript(noteRandomBytes);
    const device = await Device.prepare(name, context, appUrl);
    await device.open();
    return new ProfileDevice(device, profile, context);
  }

  /** The secrets of the stores that the open page began since it was loaded. */
  async storeSecrets(): Promise<StoreSecrets> {
    const drawn = (await this.device.page.evaluate(() => window.drawn)).map((hex) => Buffer.from(hex, 'hex'));
    const keys = drawn.flatMap((storeId, at) => {
      const [kc, kq, salt] = drawn.slice(at + 1, at + 4);
      const isStore = [kc, kq, salt].every((key) => key?.length === KEY_BYTES) && storeId.length === 16;
      if (!isStore || kc === undefined || kq === undefined || salt === undefined) return [];
      return [{ kc, kq, dataKey: dataKeyOf(kc, kq, salt) }];
    });
    // Which coefficients are whose is not known: the wrong pairs give bytes that are nowhere.
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
    if (how === 'closed') return this.#context.close();
    const browser = this.#context.browser();
    if (browser === null) throw new Error('A persistent context has a browser.');
    const session = await browser.newBrowserCDPSession();
    const { processInfo } = await session.send('SystemInfo.getProcessInfo');
    const closed = this.#context.waitForEvent('close');
    for (const { type, id } of processInfo) if (type === 'browser') process.kill(id, 'SIGKILL');
    await closed;
    for (const { id } of processInfo) await untilGone(id);
  }

  /** Removes the folder. The browser must have ended. */
  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function untilGone(processId: number): Promise<void> {
  while (isAlive(processId)) await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    // There is no such process.
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
