// What devices do for one request. All logs know it by one id, the trace id of W3C Trace Context; what each
// device did for it is a span.
//
// Invariant: no name, no id of a file or a device, and nobody's words are in a span.

/** What a device does for a request. */
export type SpanName = 'read' | 'store' | 'serve';

/** A request, and the part of it that caused something. */
export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits; undefined where this device began it. */
  readonly parentId: string | undefined;
}

export interface Span {
  readonly traceId: string;
  /** For what this causes elsewhere. */
  readonly traceparent: string;
  /** @param endMs by the wall clock; default: now. */
  end(outcome: { readonly isWhole: boolean; readonly bytes: number }, endMs?: number): void;
}

export interface Tracing {
  /** @param beganMs by the wall clock; default: now. */
  begin(name: SpanName, trace: Trace, beganMs?: number): Span;
  /** Hands over what was not yet sent. */
  close(): Promise<void>;
}
