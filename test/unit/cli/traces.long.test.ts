// A request that goes from device to device: one id in the logs of both, and their spans at a collector.

import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { PalmPrograms } from '../../fixtures/palm-program.ts';
import { seededBytes } from '../../e2e/seeded-bytes.ts';

const BYTES = 3_000_000;
const programs = new PalmPrograms();
const sent: unknown[] = [];
let collector: Server;

beforeAll(async () => {
  collector = createServer((request, response) => {
    void json(request).then((body) => {
      sent.push(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  collector.listen(0, '127.0.0.1');
  await once(collector, 'listening');
  const { port } = collector.address() as AddressInfo; // it listens on a port
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', `http://127.0.0.1:${port}`);
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '100');
  await programs.build();
  await programs.startHousehold();
  await programs.join('adder');
}, 120_000);
afterAll(async () => {
  vi.unstubAllEnvs();
  await programs.end();
  collector.close();
});

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface SentSpan {
  readonly name: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly attributes: readonly Attribute[];
}

interface SentTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly SentSpan[] }[];
  }[];
}

/** Everything that the collector got, in the format of OTLP. */
function resources(): SentTraces['resourceSpans'] {
  return (sent as SentTraces[]).flatMap(({ resourceSpans }) => resourceSpans);
}

function spans(): SentSpan[] {
  return resources().flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => [...scope.spans]));
}

test('a get has one id in the logs of both devices, and one trace at the collector', async () => {
  await programs.json('household', ['add', '-', '--name', 'secret film'], Buffer.from(seededBytes(1, BYTES)));
  const got = await programs.run('adder', ['get', 'secret film', '-']);
  expect(got.stdout.equals(seededBytes(1, BYTES)), got.stderr).toBe(true);

  const readLine = programs.log('adder').find(({ msg }) => msg === 'read');
  expect(readLine).toMatchObject({ level: 'info', bytes: BYTES, isWhole: true });
  const trace = String(readLine?.['trace']);
  const served = (): unknown => programs.log('household').find((line) => line['trace'] === trace);
  await expect.poll(served, { timeout: 20_000 }).toMatchObject({ msg: 'serve', failed: 0 });
  // The reader has some fragments itself.
  expect(Reflect.get(Object(served()), 'bytes')).toBeGreaterThan(BYTES / 8);

  await expect
    .poll(() => spans().filter(({ traceId }) => traceId === trace).length, { timeout: 20_000 })
    .toBe(2);
  const [read, serve] = ['read', 'serve'].map((name) =>
    spans().find((span) => span.traceId === trace && span.name === name),
  );
  expect(read?.parentSpanId ?? '').toBe('');
  expect(serve?.parentSpanId).toBe(read?.spanId);
  const names = resources().flatMap(({ resource }) => resource.attributes);
  expect(names).toContainEqual({ key: 'service.name', value: { stringValue: 'palm' } });

  const told = JSON.stringify([sent, programs.log('household'), programs.log('adder')]);
  for (const word of ['secret', 'bafy', 'Qm']) expect(told).not.toContain(word);
}, 120_000);
