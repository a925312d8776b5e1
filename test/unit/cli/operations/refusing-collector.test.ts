// A collector that refuses what a device hands over, or is gone, costs spans: the device ends all the same.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openDeviceLog } from '../../../../src/cli/operations/device-log.ts';
import { idsOnly, openTracing } from '../../../../src/cli/operations/tracing.ts';

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
let collector: Server;
let asked: number;

beforeEach(async () => {
  asked = 0;
  collector = createServer((_request, response) => {
    asked++;
    response.writeHead(400).end();
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo; // it listens on a port
  vi.stubEnv(ENDPOINT, `http://127.0.0.1:${port}`);
  vi.stubGlobal('PALM_VERSION', '0.0.0');
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.unstubAllGlobals();
  collector.close();
  collector.closeAllConnections();
});

it.each(['refuses them', 'is gone'])('ends although the collector %s', async (how) => {
  const lines: unknown[] = [];
  const log = openDeviceLog('info', { write: (line: string) => lines.push(JSON.parse(line)) });
  const tracing = await openTracing(process.env, log);
  expect(tracing).not.toBe(idsOnly);
  tracing.begin('read', { traceId: 'a'.repeat(32), parentId: undefined }).end({ isWhole: true, bytes: 1 });
  if (how === 'is gone') {
    collector.close();
    collector.closeAllConnections();
    await once(collector, 'close');
  }
  await expect(tracing.close()).resolves.toBeUndefined();
  const isRefused = how === 'refuses them';
  expect(asked > 0).toBe(isRefused);
  expect(lines).toHaveLength(isRefused ? 1 : 0);
});
