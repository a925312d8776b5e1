// A device of a browser test: one browser context (with its own storage, like another computer) with a tab
// that runs the app.

import type { BrowserContext, Page } from '@playwright/test';
import { DeviceCalls, expressionOf } from './device-calls.ts';
import { installPageSide } from './page-side.ts';
import { seededBytes } from './seeded-bytes.ts';

export class Device extends DeviceCalls {
  readonly context: BrowserContext;
  readonly appUrl: string;
  #tab: Page | undefined;

  private constructor(name: string, context: BrowserContext, appUrl: string) {
    super(name);
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

  /** Another tab of this browser, open: the same device, of which one of the two runs. */
  async openSecondTab(): Promise<Device> {
    const tab = new Device(`${this.name}’s second tab`, this.context, this.appUrl);
    await tab.open();
    return tab;
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

  async #ready(): Promise<void> {
    await this.page.waitForFunction(() => 'palm' in window);
    // Asked repeatedly: on a busy machine, a promise that only the debugger waits for is sometimes collected.
    await this.page.evaluate(() => window.palmTest.watchOpening());
    await this.page.waitForFunction(() => window.palmTest.opening !== 'under way');
    const opening = await this.page.evaluate(() => window.palmTest.opening);
    if (opening !== 'done') throw new Error(`${this.name} did not open: ${opening}`);
  }

  protected run<Argument, Value>(
    work: (argument: Argument) => Value | Promise<Value>,
    argument: Argument,
  ): Promise<Value> {
    return this.page.evaluate<Value>(expressionOf(work, argument));
  }
}
