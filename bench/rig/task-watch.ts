// How long the tasks of a page's main thread take, from Chromium's own trace: by the clock, and by the
// thread's processor time. On a machine with too few cores, the clock also counts a task's wait for its turn;
// the Long Tasks API has only the clock.

import type { CDPSession, Page } from '@playwright/test';

export interface LongestTasks {
  /** ms. */
  readonly byClockMs: number;
  /** ms. */
  readonly byProcessorMs: number;
  readonly taskCount: number;
}

/** The part of a trace event that is used; times in µs. `tdur` is by the thread's own clock. */
interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

const TRACE = { includedCategories: ['toplevel', '__metadata'], excludedCategories: ['*'] };
/** Chromium's name for the outermost span of a task. */
const TASK = 'ThreadControllerImpl::RunTask';
const MAIN_THREAD = 'CrRendererMain';

/**
 * The longest tasks of the main threads of the page's browser while `work` runs: each bench device has its
 * own browser.
 */
export async function watchTasks(page: Page, work: () => Promise<unknown>): Promise<LongestTasks> {
  const session = await page.context().newCDPSession(page);
  const events: TraceEvent[] = [];
  session.on('Tracing.dataCollected', ({ value }) => {
    for (const event of value) if (isTraceEvent(event)) events.push(event);
  });
  await session.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: TRACE });
  await work();
  await end(session);
  await session.detach();
  const mains = new Set(
    events.filter(({ name, args }) => name === 'thread_name' && args?.name === MAIN_THREAD).map(threadOf),
  );
  const tasks = events.filter(
    (event) => event.name === TASK && event.ph === 'X' && mains.has(threadOf(event)),
  );
  if (tasks.length === 0) throw new Error('The trace has no task of a main thread.');
  if (tasks.every(({ tdur }) => tdur === undefined)) throw new Error('The trace has no processor times.');
  return {
    byClockMs: longestOf(tasks.map(({ dur = 0 }) => dur)) / 1_000,
    byProcessorMs: longestOf(tasks.map(({ tdur = 0 }) => tdur)) / 1_000,
    taskCount: tasks.length,
  };
}

async function end(session: CDPSession): Promise<void> {
  const complete = new Promise<void>((resolve) => session.once('Tracing.tracingComplete', () => resolve()));
  await session.send('Tracing.end');
  await complete;
}

function isTraceEvent(event: unknown): event is TraceEvent {
  if (typeof event !== 'object' || event === null) return false;
  return typeof Reflect.get(event, 'name') === 'string' && typeof Reflect.get(event, 'tid') === 'number';
}

function threadOf({ pid, tid }: TraceEvent): string {
  return `${pid}/${tid}`;
}

function longestOf(durations: readonly number[]): number {
  return durations.reduce((longest, each) => Math.max(longest, each), 0);
}
