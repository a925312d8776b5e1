// A device of a browser test that runs in Firefox: a storage of its own, with a tab that runs the app.

import { DeviceCalls, expressionOf, LOOK_MS } from './device-calls.ts';
import type { Faults } from './faults.ts';
import type { Firefox, FirefoxTab } from './firefox.ts';
import { installPageSide } from './page-side.ts';
import { seededBytes } from './seeded-bytes.ts';

/** Firefox (140) says so of its own script in each new tab, before a page is loaded. */
const OF_FIREFOX = 'Error: Permission denied to access property "length"';

const SCRIPT = `(${String(installPageSide)})(${String(seededBytes)});`;

export class FirefoxDevice extends DeviceCalls {
  readonly #firefox: Firefox;
  readonly #context: string;
  readonly #appUrl: string;
  readonly #faults: Faults;
  #tab: FirefoxTab | undefined;

  private constructor(name: string, firefox: Firefox, context: string, appUrl: string, faults: Faults) {
    super(name);
    this.#firefox = firefox;
    this.#context = context;
    this.#appUrl = appUrl;
    this.#faults = faults;
  }

  /** A device with no tab open yet. */
  static async prepare(
    name: string,
    firefox: Firefox,
    appUrl: string,
    faults: Faults,
  ): Promise<FirefoxDevice> {
    return new FirefoxDevice(name, firefox, await firefox.newContext(), appUrl, faults);
  }

  /** The open tab. */
  get tab(): FirefoxTab {
    if (this.#tab === undefined) throw new Error(`${this.name} has no open tab.`);
    return this.#tab;
  }

  /** Opens the app in a new tab, and waits until it runs the device. */
  async open(url = this.#appUrl): Promise<void> {
    this.#tab = await this.openTab(url);
    await this.ready();
  }

  /** Another tab with the app, which may have to wait for the first. */
  async openTab(url = this.#appUrl): Promise<FirefoxTab> {
    const tab = await this.#firefox.newTab(this.#context, SCRIPT);
    this.#firefox.watch(({ level, text, tabId }) => {
      if (level === 'error' && tabId === tab.id && text !== OF_FIREFOX)
        this.#faults.note(`${this.name}: error: ${text}`);
    });
    await tab.goto(url);
    return tab;
  }

  async reload(): Promise<void> {
    await this.tab.reload();
    await this.ready();
  }

  /** Closes the tab as a person does; `next` runs the device from now on. */
  async closeTab(next?: FirefoxTab): Promise<void> {
    await this.tab.close();
    this.#tab = next;
  }

  /** Waits until the tab runs the device. */
  async ready(): Promise<void> {
    while (!(await this.run(() => 'palm' in window, undefined))) await this.nextChange();
    await this.run(async () => {
      await window.palm.ready;
    }, undefined);
  }

  /** Timers of a page are not relied on: in a window that nobody looks at, Firefox may hold them back. */
  protected override async nextChange(): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }

  protected run<Argument, Value>(
    work: (argument: Argument) => Value | Promise<Value>,
    argument: Argument,
  ): Promise<Value> {
    return this.tab.evaluate<Value>(expressionOf(work, argument));
  }
}
