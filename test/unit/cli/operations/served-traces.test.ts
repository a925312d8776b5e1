// Many answers for one request are one line; whatever ids another device makes up, its lines are bounded.

import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openDeviceLog } from '../../../../src/cli/operations/device-log.ts';
import { ServedTraces } from '../../../../src/cli/operations/served-traces.ts';
import { idsOnly } from '../../../../src/cli/operations/tracing.ts';
import { traceMarkOf, type TraceMark } from '../../../../src/core/wire/trace-mark.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';

const [A, B] = [deviceAt(0).deviceId, deviceAt(1).deviceId];
let lines: Record<string, unknown>[];
let served: ServedTraces;

beforeEach(() => {
  vi.useFakeTimers();
  lines = [];
  const log = openDeviceLog('info', { write: (line: string) => lines.push(JSON.parse(line)) });
  served = new ServedTraces(idsOnly, log);
});
afterEach(() => vi.useRealTimers());

function mark(byte: number): TraceMark {
  return traceMarkOf(new Uint8Array(24).fill(byte));
}

it('writes one line for all answers, once nothing more is asked for', () => {
  for (let answer = 0; answer < 10; answer++) {
    served.add({ to: A, trace: mark(1), byteCount: 100, isWhole: answer > 0, ms: 2 });
    vi.advanceTimersByTime(4_000);
  }
  served.add({ to: B, trace: mark(1), byteCount: 7, isWhole: true, ms: 2 });
  expect(lines).toEqual([]);
  vi.advanceTimersByTime(5_000);
  const line = { msg: 'serve', level: 'info', trace: '01'.repeat(16), time: expect.any(String) };
  expect(lines).toEqual([
    { ...line, answers: 10, failed: 1, bytes: 1_000, ms: 36_002 },
    { ...line, answers: 1, failed: 0, bytes: 7, ms: 2 },
  ]);
});

it('writes no more lines than a device may cause, and those of others besides', () => {
  for (let trace = 1; trace <= 200; trace++)
    served.add({ to: A, trace: mark(trace), byteCount: 1, isWhole: true, ms: 0 });
  served.add({ to: B, trace: mark(250), byteCount: 1, isWhole: true, ms: 0 });
  served.close();
  expect(lines).toHaveLength(9);
  expect(lines.at(-1)?.['trace']).toBe('fa'.repeat(16));
});
