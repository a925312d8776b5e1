// Spans for a collector that speaks OTLP over HTTP. The environment says where it is, and which headers it
// wants, by the names that OpenTelemetry gave these variables. Loaded only where one is named.

import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace as traceApi, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, RandomIdGenerator, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Tracing } from './spans.ts';

declare const PALM_VERSION: string;

/** A collector that does not answer does not keep the device from ending, ms. */
const HAND_OVER_WITHIN_MS = 2_000;

export function openTelemetry(): Tracing {
  const random = new RandomIdGenerator();
  /** Of the span that is being begun. */
  let ownTraceId: string | undefined;
  const named = resourceFromAttributes({ 'service.name': 'palm', 'service.version': PALM_VERSION });
  const provider = new TracerProvider({
    // What the environment says counts more. Nothing of the machine is told.
    resource: named.merge(detectResources({ detectors: [envDetector] })),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
    idGenerator: {
      generateTraceId: () => ownTraceId ?? random.generateTraceId(),
      generateSpanId: () => random.generateSpanId(),
    },
  });
  const tracer = provider.getTracer('palm', PALM_VERSION);
  return {
    begin(name, { traceId, parentId }, beganMs = Date.now()) {
      const parent = { traceId, spanId: parentId ?? '', traceFlags: TraceFlags.SAMPLED, isRemote: true };
      const context = parentId === undefined ? ROOT_CONTEXT : traceApi.setSpanContext(ROOT_CONTEXT, parent);
      ownTraceId = traceId;
      const span = tracer.startSpan(name, { kind: SpanKind.SERVER, startTime: beganMs }, context);
      ownTraceId = undefined;
      const { spanId } = span.spanContext();
      return {
        traceId,
        traceparent: `00-${traceId}-${spanId}-01`,
        end({ isWhole, bytes }, endMs = Date.now()) {
          span.setAttribute('palm.bytes', bytes);
          if (!isWhole) span.setStatus({ code: SpanStatusCode.ERROR });
          span.end(endMs);
        },
      };
    },
    close: () => Promise.race([provider.shutdown(), passed(HAND_OVER_WITHIN_MS)]),
  };
}

function passed(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref());
}
