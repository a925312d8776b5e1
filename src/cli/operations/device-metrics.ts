// What a device counts, for Prometheus (docs/OPERATING.md, "What to watch"). The state of the pool is read
// when it is asked for; durations are counted as they happen.
//
// Invariant: no label says who or what: names and ids of devices, files and tokens are nowhere.

import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { FileStatus, Palm, PalmStatus } from '../../runtime/api.ts';
import { SECURITY_EVENT_KINDS } from '../../runtime/record-api.ts';

/** From what feels immediate to what a person waits for, s. */
const SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300, 1_800];
/** More is as good, in the sum of files by margin. */
const HIGHEST_MARGIN = 4;
const STATES = ['reachable', 'suspect', 'away', 'gone'] as const;

export class DeviceMetrics {
  readonly #registry = new Registry();
  readonly #palm: Pick<Palm, 'status' | 'record'>;
  readonly #auditBytesNow: () => number;
  #countedAuditBytes = 0;
  readonly #gauges = new Map<string, Gauge>();
  readonly #storeSeconds = this.#histogram(
    'palm_store_seconds',
    'From the request to its end, by its outcome.',
  );
  readonly #readSeconds = this.#histogram(
    'palm_read_seconds',
    'From the request to the last byte, by its outcome.',
  );
  readonly #requestSeconds = this.#histogram('palm_gateway_request_seconds', 'Requests of the gateway.', [
    'method',
    'code',
  ]);
  readonly #readBytes = this.#counter('palm_read_bytes_total', 'Bytes of files that were read here.');
  readonly #storedBytes = this.#counter('palm_stored_bytes_total', 'Bytes of files that were stored here.');
  readonly #auditBytes = this.#counter(
    'palm_audit_bytes_total',
    'Bytes that were fetched to see whether other devices have what they claim.',
  );

  /** `auditBytes`: bytes that audits of other devices fetched so far. */
  constructor(palm: Pick<Palm, 'status' | 'record'>, auditBytes: () => number) {
    this.#palm = palm;
    this.#auditBytesNow = auditBytes;
    collectDefaultMetrics({ register: this.#registry });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** In the text format of Prometheus. */
  async text(): Promise<string> {
    this.#look(this.#palm.status());
    const auditBytes = this.#auditBytesNow();
    this.#auditBytes.inc(auditBytes - this.#countedAuditBytes);
    this.#countedAuditBytes = auditBytes;
    await this.#lookAtEvents();
    return this.#registry.metrics();
  }

  answered(method: string, code: number, seconds: number): void {
    this.#requestSeconds.observe({ method, code: String(code) }, seconds);
  }

  /** Counts a store of so many bytes, when it has ended. */
  async store<Result>(byteCount: number, work: () => Promise<Result>): Promise<Result> {
    const result = await timed(this.#storeSeconds, work);
    this.#storedBytes.inc(byteCount);
    return result;
  }

  /** Counts a read, when it has ended. `work` resolves to the bytes that were read. */
  async read(work: () => Promise<number>): Promise<void> {
    this.#readBytes.inc(await timed(this.#readSeconds, work));
  }

  #look({ pool, devices, files, repairs, transfers }: PalmStatus): void {
    const own = devices.find(({ self }) => self);
    this.#set('palm_in_pool', 'Whether this device is in a pool.', pool === undefined ? 0 : 1);
    this.#set('palm_relay_connected', 'Whether the relay answers.', pool?.relay === 'connected' ? 1 : 0);
    for (const state of STATES) {
      const count = devices.filter((device) => device.state === state && !device.self).length;
      this.#set('palm_devices', 'Other devices of the pool, by state.', count, { state });
    }
    this.#set('palm_files', 'Files of the pool, by name.', files.length);
    this.#set('palm_file_bytes', 'Bytes of these files.', sum(files.map(({ size }) => size)));
    for (let margin = -1; margin <= HIGHEST_MARGIN; margin++) {
      const isLast = margin === HIGHEST_MARGIN;
      const count = files.filter((file) =>
        isLast ? file.durableMargin >= margin : file.durableMargin === margin,
      ).length;
      const label = isLast ? `${margin}+` : String(margin);
      this.#set('palm_files_by_margin', 'Files, by how many devices may still be lost.', count, {
        margin: label,
      });
    }
    this.#set(
      'palm_files_readable',
      'Files of which k fragments can be reached now.',
      readable(files).length,
    );
    this.#set('palm_outbox_files', 'Files whose copies this device keeps for others.', outbox(files).length);
    const held = files.flatMap(({ holders }) => holders.filter(({ deviceId }) => deviceId === own?.id));
    this.#set('palm_held_fragments', 'Fragments here.', sum(held.map(({ fragments }) => fragments.length)));
    this.#set('palm_held_bytes', 'Bytes of the fragments here.', own?.heldBytes ?? 0);
    const lost = sum(files.map(({ n, durable }) => Math.max(0, n - durable)));
    this.#set('palm_repair_backlog_fragments', 'Fragments that went with devices that are gone.', lost);
    this.#set('palm_repairs', 'Files that this device repairs now.', repairs.length);
    for (const kind of ['store', 'read'] as const) {
      const count = transfers.filter((transfer) => transfer.kind === kind).length;
      this.#set('palm_transfers', 'Stores and reads that go on.', count, { kind });
    }
  }

  /** Failed audits are among them, as false claims. */
  async #lookAtEvents(): Promise<void> {
    if (this.#palm.status().pool === undefined) return;
    const { events } = await this.#palm.record({ limit: 1 });
    for (const kind of SECURITY_EVENT_KINDS) {
      const count = sum(events.filter((event) => event.kind === kind).map((event) => event.count));
      this.#set('palm_security_events', 'What was noticed of others and refused, by kind.', count, { kind });
    }
  }

  #set(name: string, help: string, value: number, labels: Readonly<Record<string, string>> = {}): void {
    const gauge =
      this.#gauges.get(name) ??
      new Gauge({ name, help, labelNames: Object.keys(labels), registers: [this.#registry] });
    this.#gauges.set(name, gauge);
    gauge.set(labels, value);
  }

  #histogram(name: string, help: string, labelNames: readonly string[] = ['outcome']): Histogram {
    return new Histogram({ name, help, labelNames, buckets: SECONDS, registers: [this.#registry] });
  }

  #counter(name: string, help: string): Counter {
    return new Counter({ name, help, registers: [this.#registry] });
  }
}

async function timed<Result>(histogram: Histogram, work: () => Promise<Result>): Promise<Result> {
  const ended = histogram.startTimer();
  try {
    const result = await work();
    ended({ outcome: 'done' });
    return result;
  } catch (error) {
    ended({ outcome: 'failed' });
    throw error;
  }
}

function readable(files: readonly FileStatus[]): readonly FileStatus[] {
  return files.filter(({ reach, k }) => reach >= k);
}

function outbox(files: readonly FileStatus[]): readonly FileStatus[] {
  return files.filter(({ inOutbox }) => inOutbox);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
