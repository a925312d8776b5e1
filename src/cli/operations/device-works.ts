// What a device does for programs, on its socket and at the gateway: counted, logged and traced alike.

import type { DeviceLog } from './device-log.ts';
import type { DeviceMetrics } from './device-metrics.ts';
import type { SpanName, Trace, Tracing } from './spans.ts';

export class DeviceWorks {
  readonly #metrics: Pick<DeviceMetrics, 'store' | 'read'>;
  readonly #tracing: Tracing;
  readonly #log: DeviceLog;

  constructor(metrics: Pick<DeviceMetrics, 'store' | 'read'>, tracing: Tracing, log: DeviceLog) {
    this.#metrics = metrics;
    this.#tracing = tracing;
    this.#log = log;
  }

  /** `work` gets the header for what it asks of others, and resolves to the bytes that were read. */
  async read(trace: Trace, work: (traceparent: string) => Promise<number>): Promise<void> {
    await this.#traced('read', trace, async (traceparent) => {
      let byteCount = 0;
      await this.#metrics.read(async () => (byteCount = await work(traceparent)));
      return { byteCount, result: undefined };
    });
  }

  async store<Result>(trace: Trace, byteCount: number, work: () => Promise<Result>): Promise<Result> {
    return this.#traced('store', trace, async () => {
      const result = await this.#metrics.store(byteCount, work);
      return { byteCount, result };
    });
  }

  async #traced<Result>(
    name: SpanName,
    trace: Trace,
    work: (traceparent: string) => Promise<{ readonly byteCount: number; readonly result: Result }>,
  ): Promise<Result> {
    const span = this.#tracing.begin(name, trace);
    const beganMs = performance.now();
    const ended = (isWhole: boolean, bytes: number): void => {
      span.end({ isWhole, bytes });
      const ms = Math.round(performance.now() - beganMs);
      this.#log.info({ trace: span.traceId, bytes, ms, isWhole }, name);
    };
    try {
      const { byteCount, result } = await work(span.traceparent);
      ended(true, byteCount);
      return result;
    } catch (error) {
      ended(false, 0);
      throw error;
    }
  }
}
