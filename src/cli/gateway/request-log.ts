// One line of the log, and one observation, for each request of the gateway. What a request is about is not
// in it: paths have the names of files.

import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { DeviceLog } from '../operations/device-log.ts';
import type { DeviceMetrics } from '../operations/device-metrics.ts';
import { traceOf } from '../operations/tracing.ts';
import { REQUEST_ID } from './answer.ts';

/** What a client or a proxy may call a request by. */
const GIVEN_ID = /^[\w.-]{1,64}$/u;
/** The routes that monitors ask for all the time. */
const QUIET = new Set(['/health', '/ready', '/metrics']);

/** The log in which the request is known by its id, which the answer has too. */
export function logRequest(
  { log, metrics }: { readonly log: DeviceLog; readonly metrics: Pick<DeviceMetrics, 'answered'> },
  request: IncomingMessage,
  response: ServerResponse,
): DeviceLog {
  const given = request.headers[REQUEST_ID];
  const id = typeof given === 'string' && GIVEN_ID.test(given) ? given : randomUUID();
  response.setHeader(REQUEST_ID, id);
  const own = log.child({ req: id, trace: traceOf(request).traceId });
  const method = request.method ?? '';
  const route = routeOf(request.url ?? '');
  const beganMs = performance.now();
  response.once('close', () => {
    const ms = Math.round(performance.now() - beganMs);
    const { statusCode: code, writableFinished: isWhole } = response;
    own[QUIET.has(route) ? 'debug' : 'info']({ method, route, code, ms, isWhole }, 'request');
    metrics.answered(method, code, ms / 1_000);
  });
  return own;
}

function routeOf(url: string): string {
  const path = url.split('?')[0] ?? '';
  if (QUIET.has(path)) return path;
  return path.startsWith('/f/') ? '/f' : 'other';
}
