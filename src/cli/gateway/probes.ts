// What monitors ask: whether the process answers, whether the device can be used, and what it counts.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PalmStatus } from '../../runtime/api.ts';
import type { DeviceMetrics } from '../operations/device-metrics.ts';
import { words } from '../words.ts';
import { Refusal, sendJson } from './answer.ts';
import { isLoopback } from './gate.ts';
import type { RecentStatus } from './recent-status.ts';

/** Answers /health and /ready, which need no token, because they say nothing of the pool. */
export function answerProbe(
  status: Pick<RecentStatus, 'now'>,
  request: IncomingMessage,
  response: ServerResponse,
): boolean {
  const { method, url } = request;
  if ((method !== 'GET' && method !== 'HEAD') || (url !== '/health' && url !== '/ready')) return false;
  if (url === '/health') sendJson(response, 200, { healthy: true });
  else {
    const why = whyNotReady(status.now());
    sendJson(response, why === undefined ? 200 : 503, { ready: why === undefined, ...(why && { why }) });
  }
  return true;
}

/** Without other devices a device can neither read nor give anything. */
function whyNotReady({ lock, pool, devices }: PalmStatus): 'locked' | 'not-in-pool' | 'alone' | undefined {
  if (lock === 'locked') return 'locked';
  if (pool === undefined) return 'not-in-pool';
  return devices.some(({ self, state }) => !self && state === 'reachable') ? undefined : 'alone';
}

/** A proxy on this machine asks for others. */
function isFromHere({ socket, headers }: IncomingMessage): boolean {
  const isPassedOn = ['forwarded', 'via', 'x-forwarded-for'].some((name) => headers[name] !== undefined);
  return isLoopback(socket.remoteAddress ?? '') && !isPassedOn;
}

/** @throws Refusal for who asks from elsewhere, unless metrics are open. */
export async function sendMetrics(
  metrics: Pick<DeviceMetrics, 'contentType' | 'text'>,
  isOpen: boolean,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isOpen && !isFromHere(request)) throw new Refusal(404, 'unknown-path', words.gateway.nothingHere);
  const text = await metrics.text();
  response.setHeader('Content-Type', metrics.contentType);
  response.end(text);
}
