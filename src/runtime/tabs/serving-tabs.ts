// The tab that has the device performs the calls of the others, and shows them what it sees.
//
// Invariants: a tab gets the next status only after it has taken the last one, so a frozen tab piles up
// nothing; the reads of a tab that ended are stopped, while its stores go on, as their files are here.

import { discard } from '../../core/model/bytes.ts';
import { MAX_TABS } from '../../core/model/limits.ts';
import type { PieceSource } from '../read/piece-stream.ts';
import type { WordlessPalm } from '../worded-palm.ts';
import { obey } from './seat.ts';
import { changesBetween, seenOf, type Seen } from './status-changes.ts';
import { performCall, type TabCall } from './tab-calls.ts';
import { channelBetween, decodeGreeting, decodeToOwner, GREETINGS } from './tab-messages.ts';
import type { FromOwner, Greeting, ToOwner } from './tab-messages.ts';
import type { TabChannel, TabPorts } from './tab-ports.ts';
import { tellError } from './told-error.ts';

export interface ServingOptions {
  readonly tabs: Pick<TabPorts, 'openChannel' | 'absenceOf'>;
  readonly build: string;
  /** The id of this tab while it has the device. */
  readonly owner: string;
  /** A tab that was served has ended. */
  readonly tabEnded: () => void;
}

export class ServingTabs {
  readonly #palm: WordlessPalm;
  readonly #options: ServingOptions;
  readonly #greetings: TabChannel;
  readonly #served = new Map<string, ServedTab>();
  readonly #unsubscribe: () => void;
  #isClosed = false;

  /** Serves from now on, and tells all tabs. */
  constructor(palm: WordlessPalm, options: ServingOptions) {
    this.#palm = palm;
    this.#options = options;
    this.#unsubscribe = palm.subscribe(() => {
      for (const tab of this.#served.values()) tab.show();
    });
    this.#greetings = options.tabs.openChannel(GREETINGS, (message) => {
      const greeting = decodeGreeting(message);
      if (greeting?.kind === 'hello') this.#met(greeting);
    });
    const { build, owner } = options;
    this.#greetings.post({ kind: 'here', build, tab: owner } satisfies Greeting);
  }

  /** Everything that was stored is gone. */
  tellLoss(): void {
    for (const tab of this.#served.values()) tab.send({ kind: 'gone' });
  }

  /** The device moves on: nobody hears anything more from here. */
  close(): void {
    this.#isClosed = true;
    this.#unsubscribe();
    this.#greetings.close();
    for (const tab of this.#served.values()) tab.close();
    this.#served.clear();
  }

  #met({ build: theirs, tab }: Greeting): void {
    const { tabs, build, owner } = this.#options;
    if (theirs === build && !this.#served.has(tab)) {
      // It sees a tab that does not answer.
      if (this.#served.size >= MAX_TABS) return;
      const served = new ServedTab(this.#palm, tabs, channelBetween(tab, owner));
      this.#served.set(tab, served);
      void tabs.absenceOf(tab).then(() => {
        if (this.#isClosed) return;
        this.#served.delete(tab);
        served.close();
        this.#options.tabEnded();
      });
    }
    this.#greetings.post({ kind: 'here', build, tab: owner, to: tab } satisfies Greeting);
  }
}

interface ServedRead {
  readonly pieces: PieceSource;
  byteCount: number;
}

class ServedTab {
  readonly #palm: WordlessPalm;
  readonly #channel: TabChannel;
  readonly #calls = new Map<number, AbortController>();
  readonly #reads = new Map<number, ServedRead>();
  /** What it has been shown. */
  #shown: Seen | undefined;
  /** Nothing is sent before the other end is open, and says so. */
  #showing: 'free' | 'sent' | 'sent, and more to show' = 'sent, and more to show';
  #isClosed = false;

  constructor(palm: WordlessPalm, tabs: Pick<TabPorts, 'openChannel'>, name: string) {
    this.#palm = palm;
    this.#channel = tabs.openChannel(name, (message) => {
      const decoded = decodeToOwner(message);
      if (decoded !== undefined && !this.#isClosed) this.#receive(decoded);
    });
  }

  show(): void {
    if (this.#showing !== 'free') {
      this.#showing = 'sent, and more to show';
      return;
    }
    const seen = seenOf(this.#palm);
    const changes = changesBetween(this.#shown, seen);
    if (changes === undefined) return;
    this.#shown = seen;
    this.#showing = 'sent';
    this.send({ kind: 'status', changes });
  }

  send(message: FromOwner): void {
    if (!this.#isClosed) this.#channel.post(message);
  }

  close(): void {
    this.#isClosed = true;
    this.#channel.close();
    // Nobody waits for them.
    for (const { pieces } of this.#reads.values()) pieces.cancel().catch(() => undefined);
  }

  #receive(message: ToOwner): void {
    switch (message.kind) {
      case 'call':
        return void this.#perform(message.id, message.call);
      case 'abort':
        return this.#calls.get(message.id)?.abort();
      case 'read':
        return this.#read(message);
      case 'next':
        return void this.#next(message.id);
      case 'stop': {
        const read = this.#reads.get(message.id);
        this.#reads.delete(message.id);
        read?.pieces.cancel().catch(() => undefined); // the reader has gone
        return undefined;
      }
      case 'order':
        return obey(this.#palm, message.order);
      case 'seen': {
        const isMore = this.#showing === 'sent, and more to show';
        this.#showing = 'free';
        return isMore ? this.show() : undefined;
      }
    }
  }

  /** Never rejects. */
  async #perform(id: number, call: TabCall): Promise<void> {
    const aborting = new AbortController();
    this.#calls.set(id, aborting);
    try {
      const value = await performCall(this.#palm, call, aborting.signal);
      // A caller that looks at the status next must find what it did.
      this.show();
      this.send({ kind: 'done', id, value });
    } catch (error) {
      this.send({ kind: 'failed', id, error: tellError(error) });
    } finally {
      this.#calls.delete(id);
    }
  }

  #read({ id, fileId, options }: Extract<ToOwner, { kind: 'read' }>): void {
    const pieces = this.#palm.pieces(fileId, options);
    this.#reads.set(id, { pieces, byteCount: 0 });
    const started = pieces.start((error) => this.send({ kind: 'stopped', id, error: tellError(error) }));
    started.then(
      () => this.send({ kind: 'done', id, value: undefined }),
      (error: unknown) => this.#readFailed(id, error),
    );
  }

  /** Never rejects. A read that ended is not answered for: its end must not look like a file's. */
  async #next(id: number): Promise<void> {
    const read = this.#reads.get(id);
    if (read === undefined) return;
    try {
      const bytes = await read.pieces.next();
      if (this.#reads.get(id) !== read) return;
      if (bytes === undefined) {
        this.#reads.delete(id);
        this.send({ kind: 'end', id, byteCount: read.byteCount });
        return;
      }
      read.byteCount += bytes.length;
      this.send({ kind: 'piece', id, bytes });
      discard(bytes);
    } catch (error) {
      this.#readFailed(id, error);
    }
  }

  #readFailed(id: number, error: unknown): void {
    this.#reads.delete(id);
    this.send({ kind: 'failed', id, error: tellError(error) });
  }
}
