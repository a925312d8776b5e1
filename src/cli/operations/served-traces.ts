// What this device served for requests of others, a line in the log and a span each: many answers make one
// line, which is written once nothing more was asked for a while.
//
// Invariant: another device causes at most MAX_OPEN_PER_DEVICE lines in QUIET_MS, whatever ids it makes up.

import { hexOf } from '../../core/model/bytes.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import { traceparentOf } from '../../core/wire/trace-mark.ts';
import type { ServedAsk } from '../../runtime/served-ask.ts';
import type { DeviceLog } from './device-log.ts';
import type { Span, Tracing } from './spans.ts';
import { traceIn } from './tracing.ts';

/** A read that waits for one of its devices goes on within this, ms. */
const QUIET_MS = 5_000;
/** Reads of one device that go on at a time, as far as they are told apart. */
const MAX_OPEN_PER_DEVICE = 8;

interface Open {
  readonly device: DeviceId;
  readonly span: Span;
  readonly beganMs: number;
  endMs: number;
  answers: number;
  failed: number;
  bytes: number;
  timer: NodeJS.Timeout;
}

export class ServedTraces {
  readonly #tracing: Tracing;
  readonly #log: DeviceLog;
  /** By device, trace and span. */
  readonly #open = new Map<string, Open>();

  constructor(tracing: Tracing, log: DeviceLog) {
    this.#tracing = tracing;
    this.#log = log;
  }

  add({ to, trace, byteCount, isWhole, ms }: ServedAsk): void {
    const key = `${to}/${hexOf(trace)}`;
    const open = this.#open.get(key) ?? this.#begin(key, to, traceparentOf(trace), ms);
    if (open === undefined) return;
    open.answers++;
    if (!isWhole) open.failed++;
    open.bytes += byteCount;
    open.endMs = Date.now();
    open.timer.refresh();
  }

  /** Writes the lines that wait. */
  close(): void {
    for (const key of this.#open.keys()) this.#end(key);
  }

  #begin(key: string, device: DeviceId, traceparent: string, ms: number): Open | undefined {
    let openCount = 0;
    for (const open of this.#open.values()) if (open.device === device) openCount++;
    const trace = traceIn(traceparent);
    if (trace === undefined || openCount >= MAX_OPEN_PER_DEVICE) return undefined;
    const beganMs = Date.now() - ms;
    const timer = setTimeout(() => this.#end(key), QUIET_MS).unref();
    const counts = { endMs: beganMs, answers: 0, failed: 0, bytes: 0 };
    const open = { device, span: this.#tracing.begin('serve', trace, beganMs), beganMs, ...counts, timer };
    this.#open.set(key, open);
    return open;
  }

  #end(key: string): void {
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    clearTimeout(open.timer);
    const { span, beganMs, endMs, answers, failed, bytes } = open;
    span.end({ isWhole: failed < answers, bytes }, endMs);
    const ms = Math.round(endMs - beganMs);
    this.#log.info({ trace: span.traceId, answers, failed, bytes, ms }, 'serve');
  }
}
