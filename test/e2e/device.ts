// A device of a browser test: one browser context (with its own storage, like another computer) with a tab
// that runs the app. Its methods are `window.palm` (src/runtime/api.ts) seen from the test; only small plain
// data crosses over. Every method that calls Palm throws PalmFailure when Palm rejects.

import type { BrowserContext, Page } from '@playwright/test';
import type { PalmStatus, ReadOptions, StoreOptions, StoreResult } from '../../src/runtime/api.ts';
import { installPageSide, type Outcome } from './page-side.ts';
import { seededBytes, type ReadBytes } from './seeded-bytes.ts';

/** A file's content: `length` bytes of `seededBytes(seed, length)`. */
export interface Content {
  readonly seed: number;
  readonly length: number;
}

/** A PalmError that left a page, with its code. */
class PalmFailure extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'PalmFailure';
    this.code = code;
  }
}

/** How long a test waits for a status, ms: links form in some seconds on a busy machine. */
const WAIT_MS = 30_000;
/** The interval for checking the status when no change is announced, ms. */
const LOOK_MS = 250;

export class Device {
  readonly name: string;
  readonly context: BrowserContext;
  readonly appUrl: string;
  #tab: Page | undefined;

  private constructor(name: string, context: BrowserContext, appUrl: string) {
    this.name = name;
    this.context = context;
    this.appUrl = appUrl;
  }

  /** The device of `context`, with no tab open yet. It owns the context. */
  static async prepare(name: string, context: BrowserContext, appUrl: string): Promise<Device> {
    await context.addInitScript({ content: `(${String(installPageSide)})(${String(seededBytes)});` });
    return new Device(name, context, appUrl);
  }

  /** The open tab. */
  get page(): Page {
    if (this.#tab === undefined) throw new Error(`${this.name} has no open tab.`);
    return this.#tab;
  }

  /** Opens the app in a new tab, and waits until it runs the device. */
  async open(url = this.appUrl): Promise<void> {
    this.#tab = await this.context.newPage();
    await this.#tab.goto(url);
    await this.#ready();
  }

  /** As `open`, at an address with a certificate that the browser warns of: clicks through the warning. */
  async openPastWarning(url = this.appUrl): Promise<void> {
    this.#tab = await this.context.newPage();
    const warned = await this.#tab.goto(url).catch((error: unknown) => error);
    if (!/ERR_CERT_AUTHORITY_INVALID/.test(String(warned))) throw new Error(`no warning at ${url}`);
    await this.#tab.locator('#details-button').click();
    await this.#tab.locator('#proceed-link').click();
    await this.#tab.waitForURL(url);
    await this.#ready();
  }

  async reload(): Promise<void> {
    await this.page.reload();
    await this.#ready();
  }

  /** Closes the tab as a person does; the device's storage stays. */
  async closeTab(): Promise<void> {
    await this.page.close();
    this.#tab = undefined;
  }

  /** Ends the tab's process, like a crash or memory pressure on a phone: no handler of the page runs. */
  async killTab(): Promise<void> {
    const crashed = this.page.waitForEvent('crash');
    // The navigation fails because the process ends; that is the point.
    await Promise.all([crashed, this.page.goto('chrome://crash').catch(() => undefined)]);
    await this.closeTab();
  }

  /** Closes the browser profile: the device is gone for good, with its storage. */
  async close(): Promise<void> {
    this.#tab = undefined;
    await this.context.close();
  }

  async createPool(poolName: string): Promise<void> {
    const outcome = await this.page.evaluate(
      (options) => window.palmTest.outcome(() => window.palm.createPool(options)),
      { name: poolName, deviceName: this.name },
    );
    this.#take(outcome);
  }

  async invite(): Promise<string> {
    return this.page.evaluate(() => window.palm.invite());
  }

  async join(invite: string): Promise<{ readonly answered: boolean }> {
    const outcome = await this.page.evaluate(
      ([url, deviceName]) => window.palmTest.outcome(() => window.palm.join(url, { deviceName })),
      [invite, this.name] as const,
    );
    return this.#take(outcome);
  }

  async store(content: Content, options: Omit<StoreOptions, 'signal'>): Promise<StoreResult> {
    const outcome = await this.page.evaluate(
      ([{ seed, length }, given]) => {
        const blob = new Blob([window.palmTest.seededBytes(seed, length)]);
        return window.palmTest.outcome(() => window.palm.store(blob, given));
      },
      [content, options] as const,
    );
    return this.#take(outcome);
  }

  /** Reads a file, or a range of it, to its end. */
  async read(fileId: string, options: Omit<ReadOptions, 'signal'> = {}): Promise<ReadBytes> {
    const outcome = await this.page.evaluate(
      ([id, given]) => window.palmTest.outcome(() => window.palmTest.readAll(window.palm.read(id, given))),
      [fileId, options] as const,
    );
    return this.#take(outcome);
  }

  async openLink(link: string): Promise<{ readonly fileId: string }> {
    const outcome = await this.page.evaluate(
      (given) => window.palmTest.outcome(() => window.palm.openLink(given)),
      link,
    );
    return this.#take(outcome);
  }

  async status(): Promise<PalmStatus> {
    return this.page.evaluate(() => window.palm.status());
  }

  /** Waits until the status satisfies `holds`; the error names `what` and the last status. */
  async waitFor(what: string, holds: (status: PalmStatus) => boolean, waitMs = WAIT_MS): Promise<PalmStatus> {
    const deadlineMs = performance.now() + waitMs;
    for (;;) {
      const status = await this.status();
      if (holds(status)) return status;
      if (performance.now() > deadlineMs) {
        const seen = JSON.stringify(status, undefined, 2);
        throw new Error(`${this.name} waited ${waitMs} ms for ${what}. Its last status:\n${seen}`);
      }
      await this.page.evaluate((atMostMs) => window.palmTest.nextChange(atMostMs), LOOK_MS);
    }
  }

  async #ready(): Promise<void> {
    await this.page.waitForFunction(() => 'palm' in window);
    // Asked repeatedly: on a busy machine, a promise that only the debugger waits for is sometimes collected.
    await this.page.evaluate(() => window.palmTest.watchOpening());
    await this.page.waitForFunction(() => window.palmTest.opening !== 'under way');
    const opening = await this.page.evaluate(() => window.palmTest.opening);
    if (opening !== 'done') throw new Error(`${this.name} did not open: ${opening}`);
  }

  #take<Value>(outcome: Outcome<Value>): Value {
    if (outcome.kind === 'ok') return outcome.value;
    throw new PalmFailure(outcome.code, `${this.name}: ${outcome.message}`);
  }
}
