// What this page does on behalf of the person in front of it: the pool and its latest status, and the work in
// progress around it. One per App; screens reach it through `usePage`.

import { computed, signal, useComputed, type ReadonlySignal, type Signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { isPalmError } from '../../core/model/errors.ts';
import type { RelayTrouble } from '../../core/model/relay-trouble.ts';
import type { Palm, PalmStatus } from '../../runtime/api.ts';
import { browserSaving } from '../download/browser-saving.ts';
import type { DownloadStore } from '../download/download-store.ts';
import { Downloads, type DownloadView } from '../download/downloads.ts';
import { explain, isCancelled } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import { Alerts } from '../alerts.ts';
import { MAX_QUEUED_FILES } from './added.ts';
import { Leaving } from './leaving.ts';
import { paced } from './paced.ts';
import { watchRelay, type ProbeRelay } from './relay-trouble.ts';
import { Removals } from './removals.ts';
import { Resumptions } from './resumptions.ts';
import { ShownInvite } from './shown-invite.ts';
import { keepScreenOn } from './screen-awake.ts';
import { settledStatus } from './settled-status.ts';
import { StoreQueue, type QueueItem, type Stored } from './store-queue.ts';
import { words } from '../text/words.ts';

/** A private file's link, on the screen until the person dismisses it. */
export interface PrivateLink {
  readonly name: string;
  readonly link: string;
}

export interface Page {
  readonly palm: Palm;
  /** Fed by the pool's subscription. An unchanged part is the same object as before. */
  readonly status: ReadonlySignal<PalmStatus>;
  readonly queue: StoreQueue;
  /** The contents of the list of transfers, all of one moment. */
  readonly shownWork: ReadonlySignal<ShownWork>;
  readonly resumptions: Resumptions;
  readonly removals: Removals;
  readonly leaving: Leaving;
  readonly downloads: Downloads;
  readonly alerts: Alerts;
  readonly shownInvite: ShownInvite;
  /** Why the relay cannot be reached, once that was tried. */
  readonly relayTrouble: ReadonlySignal<RelayTrouble | undefined>;
  readonly privateLinks: Signal<readonly PrivateLink[]>;
  /** The latest message to announce or to show in passing; '' for none. */
  readonly said: Signal<string>;
  /** The address asked to invite a device: whoever shows that sets it back. */
  readonly isInviting: Signal<boolean>;
  /** Whether the connection doctor is open. */
  readonly isDiagnosing: Signal<boolean>;
  /** Ends the subscription, and this page's downloads: the next page resumes them. */
  close(): void;
}

/** The work of this page and its pool at one moment. */
interface ShownWork {
  readonly items: readonly QueueItem[];
  readonly downloads: readonly DownloadView[];
  readonly transfers: PalmStatus['transfers'];
  readonly unfinished: PalmStatus['unfinished'];
}

/** Minimum time between two drawings, ms: faster changes cannot be read. */
const DRAW_EVERY_MS = 100;

export function openPage(palm: Palm, downloadStore: DownloadStore, probeRelay: ProbeRelay): Page {
  const status = signal(palm.status());
  const refresh = (): void => {
    status.value = settledStatus(status.peek(), palm.status());
  };
  const unsubscribe = palm.subscribe(refresh);
  const alerts = new Alerts();
  const privateLinks = signal<readonly PrivateLink[]>([]);
  const said = signal('');
  const onStored = (stored: Stored): void => {
    if (stored.link !== undefined) {
      privateLinks.value = [...privateLinks.value, { name: stored.name, link: stored.link }];
    }
    said.value = storedText(stored);
  };
  const queue = new StoreQueue({
    palm,
    onStored,
    onLeftOut: (count) => alerts.raise(words.messages.notInLine(count, MAX_QUEUED_FILES)),
  });
  const resumptions = new Resumptions({ palm, alerts, onStored });
  // The subscription follows a moment later: without this the file would flash up in between.
  const remove = (fileId: string): Promise<void> => palm.remove(fileId).then(refresh);
  const removals = new Removals({ remove }, delay, ({ name }, error) => {
    alerts.raise(words.messages.notRemoved(shownName(name), explain(error)));
  });
  const downloads = new Downloads({
    palm,
    status,
    alerts,
    delay,
    store: downloadStore,
    saving: browserSaving,
    say: (text) => (said.value = text),
    nowMs: () => Date.now(),
  });
  const work = computed(() => ({
    items: queue.items.value,
    downloads: downloads.list.value,
    transfers: status.value.transfers,
    unfinished: status.value.unfinished,
  }));
  const pacedWork = paced(work, DRAW_EVERY_MS, delay);
  const stopFlushing = flushWhenHidden(removals);
  const stopReporting = reportBugs(alerts);
  const isBusy = computed(() => status.value.transfers.length > 0);
  const releaseScreen = keepScreenOn(isBusy, { wakeLock: navigator.wakeLock, document });
  const relay = watchRelay(palm, probeRelay, delay);
  // A device that does not open shows why on a screen of its own.
  palm.ready.then(
    () => resumptions.continueAll(),
    () => undefined,
  );
  return {
    palm,
    status,
    queue,
    shownWork: pacedWork.shown,
    resumptions,
    removals,
    shownInvite: new ShownInvite(palm),
    leaving: new Leaving({ palm, removals, alerts }),
    downloads,
    alerts,
    relayTrouble: relay.trouble,
    privateLinks,
    said,
    isInviting: signal(false),
    isDiagnosing: signal(false),
    close() {
      unsubscribe();
      pacedWork.stop();
      relay.stop();
      downloads.close();
      stopFlushing();
      releaseScreen();
      stopReporting();
    },
  };
}

export const PageContext = createContext<Page | undefined>(undefined);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (page === undefined) throw new Error('A screen was rendered outside of App.');
  return page;
}

/**
 * A part of the pool's status. Components that use it are redrawn when that part changes, not with every
 * status.
 */
export function useStatus<Part>(pick: (status: PalmStatus) => Part): Part {
  const { status } = usePage();
  return useComputed(() => pick(status.value)).value;
}

function storedText({ name, deduplicated }: Stored): string {
  const sentence = deduplicated ? words.messages.deduplicated : words.messages.stored;
  return sentence(shownName(name));
}

/** A hidden page may never return: pending removals are then told to the pool immediately. */
function flushWhenHidden(removals: Removals): () => void {
  const flush = (): void => {
    if (document.visibilityState === 'hidden') removals.commit();
  };
  const commit = (): void => removals.commit();
  document.addEventListener('visibilitychange', flush);
  window.addEventListener('pagehide', commit);
  return () => {
    document.removeEventListener('visibilitychange', flush);
    window.removeEventListener('pagehide', commit);
  };
}

/** An uncaught error is a bug; the person is told instead of wondering. Refusals have their own places. */
function reportBugs(alerts: Alerts): () => void {
  const report = (error: unknown): void => {
    if (error instanceof Error && !isPalmError(error) && !isCancelled(error)) alerts.raise(explain(error));
  };
  const onError = (event: ErrorEvent): void => report(event.error);
  const onRejection = (event: PromiseRejectionEvent): void => report(event.reason);
  window.addEventListener('error', onError);
  window.addEventListener('unhandledrejection', onRejection);
  return () => {
    window.removeEventListener('error', onError);
    window.removeEventListener('unhandledrejection', onRejection);
  };
}

function delay(delayMs: number, callback: () => void): () => void {
  const timer = setTimeout(callback, delayMs);
  return () => clearTimeout(timer);
}
