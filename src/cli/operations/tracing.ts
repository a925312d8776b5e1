// The one id of a request that goes from device to device. Where the environment names a collector, what each
// device did for it goes there as a span of OpenTelemetry; without one, its libraries are not even loaded.
//
// Invariant: what others send as an id is either two ids of the right length, or not there.

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TRACE_ID_BYTES, traceMarkIn, traceparentOf } from '../../core/wire/trace-mark.ts';
import type { DeviceLog } from './device-log.ts';
import type { Trace, Tracing } from './spans.ts';

const SPAN_ID_BYTES = 8;

/** The id alone, for the log. */
export const idsOnly: Tracing = {
  begin(_name, { traceId }) {
    const traceparent = `00-${traceId}-${randomBytes(SPAN_ID_BYTES).toString('hex')}-01`;
    return { traceId, traceparent, end: () => undefined };
  },
  close: async () => undefined,
};

const COLLECTORS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];

/** With spans if the environment names a collector, by the names that OpenTelemetry gave these variables. */
export async function openTracing(
  environment: Readonly<Record<string, string | undefined>>,
  log: DeviceLog,
): Promise<Tracing> {
  const isWanted = COLLECTORS.some((name) => (environment[name] ?? '') !== '');
  if (!isWanted || environment['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return idsOnly;
  try {
    const { openTelemetry } = await import('./open-telemetry.ts');
    const tracing = openTelemetry();
    return { ...tracing, close: () => closed(tracing, log) };
  } catch (error) {
    // The device is worth more than its spans.
    log.error({ err: error }, 'no spans: is OpenTelemetry installed?');
    return idsOnly;
  }
}

/** What a collector refuses, or nobody takes, does not keep the device from ending as it should. */
async function closed(tracing: Tracing, log: DeviceLog): Promise<void> {
  try {
    await tracing.close();
  } catch (error) {
    log.error({ err: error }, 'the last spans were not taken');
  }
}

const traces = new WeakMap<IncomingMessage, Trace>();

/** The trace that a request of a program is part of: that of its header, else one of its own. */
export function traceOf(request: IncomingMessage): Trace {
  const known = traces.get(request);
  if (known !== undefined) return known;
  const given = request.headers['traceparent'];
  const trace = (typeof given === 'string' ? traceIn(given) : undefined) ?? {
    traceId: randomBytes(TRACE_ID_BYTES).toString('hex'),
    parentId: undefined,
  };
  traces.set(request, trace);
  return trace;
}

/** Undefined for what is not sound. */
export function traceIn(traceparent: string): Trace | undefined {
  const mark = traceMarkIn(traceparent);
  if (mark === undefined) return undefined;
  const [, traceId = '', parentId] = traceparentOf(mark).split('-');
  return { traceId, parentId };
}
