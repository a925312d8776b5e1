// The contract of Transport (ports.ts), for every implementation. Each case gets three devices of one pool,
// with transports that are not open yet, and time that passes only on demand.

import { concatBytes } from '../../src/core/model/bytes.ts';
import { isPalmError } from '../../src/core/model/errors.ts';
import type { Rejection } from '../../src/core/model/failures.ts';
import type { DeviceId } from '../../src/core/model/ids.ts';
import type { Transport, TransportEvents } from '../../src/core/transport-port.ts';
import { check, checkEqual, checkRejects, type ContractCase } from './contract-case.ts';

export interface TransportEnd {
  readonly device: DeviceId;
  readonly transport: Transport;
}

export interface TransportHarness {
  readonly ends: readonly [TransportEnd, TransportEnd, TransportEnd];
  /** Lets time pass, with all its events. */
  readonly pass: (durationMs: number) => Promise<void>;
  /** Breaks the connection under the link of two devices. They can connect again. */
  readonly breakLink: (a: DeviceId, b: DeviceId) => void;
}

/** Enough time for devices to link, and for a broken link to be noticed and built again. */
const LINKED_MS = 60_000;
/** Enough time for everything under way to arrive, if its link lives. */
const ARRIVED_MS = 5_000;
/** As long as a block: several frames. */
const LONG_BYTES = 256 * 1024;

export const transportCases: readonly ContractCase<TransportHarness>[] = [
  {
    name: 'every two devices are linked once, and both are told',
    async run(harness) {
      const logs = await linked(harness);
      const ids = harness.ends.map(({ device }) => device);
      for (const [at, log] of logs.entries()) {
        const others = ids.filter((_, index) => index !== at);
        checkEqual(log.ups.toSorted(), others.toSorted(), `links of end ${at}`);
        checkEqual(log.downs, [], `ends of links of end ${at}`);
        checkEqual(log.relayStates.at(-1), 'connected', `the relay of end ${at}`);
      }
    },
  },
  {
    name: 'a message arrives complete, with its sender',
    async run(harness) {
      const [a, b, c] = harness.ends;
      const [log] = await linked(harness);
      const long = patternOf(LONG_BYTES, 1);
      const sent = [
        b.transport.send(a.device, [Uint8Array.of(1), new Uint8Array(0), long], 'bulk'),
        c.transport.send(a.device, [Uint8Array.of(2, 3)], 'bulk'),
        c.transport.send(a.device, [], 'control'),
      ];
      await harness.pass(ARRIVED_MS);
      await Promise.all(sent);
      checkEqual(log.from(b.device), [concatBytes(Uint8Array.of(1), long)].map(digest), 'of the second');
      checkEqual(
        log.from(c.device).toSorted(),
        [Uint8Array.of(2, 3), new Uint8Array(0)].map(digest).toSorted(),
        'of the third',
      );
    },
  },
  {
    name: 'messages of a lane keep their order, whatever their length',
    async run(harness) {
      const [a, b] = harness.ends;
      const [, log] = await linked(harness);
      const messages = [LONG_BYTES, 1, 100, LONG_BYTES, 0, 70_000, 2].map(patternOf);
      for (const lane of ['control', 'bulk'] as const) {
        log.messages.length = 0;
        const sent = messages.map((message) => a.transport.send(b.device, [message], lane));
        await harness.pass(ARRIVED_MS);
        await Promise.all(sent);
        checkEqual(log.from(a.device), messages.map(digest), `the ${lane} lane`);
      }
    },
  },
  {
    name: 'control overtakes bulk',
    async run(harness) {
      const [a, b] = harness.ends;
      const [, log] = await linked(harness);
      const bulk = Array.from({ length: 12 }, (_, at) => patternOf(LONG_BYTES, at));
      const control = Uint8Array.of(42);
      const sent = bulk.map((message) => a.transport.send(b.device, [message], 'bulk'));
      sent.push(a.transport.send(b.device, [control], 'control'));
      await harness.pass(ARRIVED_MS);
      await Promise.all(sent);
      const arrived = log.from(a.device);
      checkEqual(arrived.toSorted(), [...bulk, control].map(digest).toSorted(), 'all messages');
      check(arrived.indexOf(digest(control)) < arrived.length - 1, 'control arrives before the last of bulk');
    },
  },
  {
    name: 'send resolves when the channel takes the message, not before',
    async run(harness) {
      const [a, b] = harness.ends;
      await linked(harness);
      let sentCount = 0;
      const sent = Array.from({ length: 12 }, async (_, at) => {
        await a.transport.send(b.device, [patternOf(LONG_BYTES, at)], 'bulk');
        sentCount += 1;
      });
      await harness.pass(0);
      check(sentCount < sent.length, `${sentCount} long messages fit into the channel at once`);
      await harness.pass(ARRIVED_MS);
      await Promise.all(sent);
    },
  },
  {
    name: 'messages and their buffers belong only to their owners',
    async run(harness) {
      const [a, b] = harness.ends;
      const [, log] = await linked(harness);
      const message = patternOf(100, 1);
      const wanted = digest(message);
      const sent = a.transport.send(b.device, [message], 'control');
      await harness.pass(ARRIVED_MS);
      await sent;
      message.fill(0);
      checkEqual(log.from(a.device), [wanted], 'what arrived');
    },
  },
  {
    name: 'no message arrives during a call of the transport',
    async run(harness) {
      const [a, b] = harness.ends;
      const [logA, logB] = await linked(harness);
      const calls = [
        () => void a.transport.send(b.device, [Uint8Array.of(1)], 'control').catch(() => undefined),
        () => void b.transport.send(a.device, [Uint8Array.of(2)], 'bulk').catch(() => undefined),
        () => a.transport.wake(),
        () => a.transport.closeLink(b.device, 'for the test'),
      ];
      for (const call of calls) {
        for (const log of [logA, logB]) log.callCount += 1;
        call();
        for (const log of [logA, logB]) log.callCount -= 1;
      }
      await harness.pass(ARRIVED_MS);
    },
  },
  {
    name: 'nothing is sent without a link',
    async run(harness) {
      const [a, b] = harness.ends;
      const send = (): Promise<void> => a.transport.send(b.device, [Uint8Array.of(1)], 'control');
      await checkRejects(send(), 'link-closed', 'before open');
      await linked(harness);
      await checkRejects(
        a.transport.send(a.device, [Uint8Array.of(1)], 'control'),
        'link-closed',
        'to itself',
      );
      await settledWith(harness, a.transport.close());
      await checkRejects(send(), 'link-closed', 'after close');
    },
  },
  {
    name: 'a message that is cancelled before it begins is not sent, but the others are',
    async run(harness) {
      const [a, b] = harness.ends;
      const [, log] = await linked(harness);
      await checkRejects(
        a.transport.send(b.device, [Uint8Array.of(1)], 'bulk', AbortSignal.abort()),
        'cancelled',
        'a signal that aborted before',
      );
      const bulk = Array.from({ length: 12 }, (_, at) => patternOf(LONG_BYTES, at));
      const sent = bulk.map((message) => a.transport.send(b.device, [message], 'bulk'));
      const abort = new AbortController();
      const cancelled = a.transport.send(b.device, [Uint8Array.of(42)], 'bulk', abort.signal);
      const after = a.transport.send(b.device, [Uint8Array.of(43)], 'bulk');
      abort.abort();
      await checkRejects(cancelled, 'cancelled', 'a message that waited');
      await harness.pass(ARRIVED_MS);
      await Promise.all([...sent, after]);
      checkEqual(log.from(a.device), [...bulk, Uint8Array.of(43)].map(digest), 'what arrived');
    },
  },
  {
    name: 'when a link breaks, both are told, pending sends settle, and the link is built again',
    async run(harness) {
      const [a, b] = harness.ends;
      const [logA, logB] = await linked(harness);
      const sent = Array.from({ length: 12 }, (_, at) =>
        a.transport.send(b.device, [patternOf(LONG_BYTES, at)], 'bulk'),
      );
      const settled = Promise.allSettled(sent);
      harness.breakLink(a.device, b.device);
      await harness.pass(LINKED_MS);
      const outcomes = await settled;
      const wrong = outcomes.filter(
        (outcome) => outcome.status === 'rejected' && !isPalmError(outcome.reason, 'link-closed'),
      );
      checkEqual(wrong.length, 0, 'other errors than link-closed');
      check(
        outcomes.some(({ status }) => status === 'rejected'),
        'what waited was not sent',
      );
      checkEqual([logA.downs, logB.downs], [[b.device], [a.device]], 'ends of links');
      checkEqual(logA.ups.filter((device) => device === b.device).length, 2, 'links of the first');
      checkEqual(logB.ups.filter((device) => device === a.device).length, 2, 'links of the second');
      logB.messages.length = 0;
      const again = a.transport.send(b.device, [Uint8Array.of(7)], 'control');
      await harness.pass(ARRIVED_MS);
      await again;
      checkEqual(logB.from(a.device), [digest(Uint8Array.of(7))], 'over the new link');
    },
  },
  {
    name: 'closeLink ends one link at both ends, and the link may be built again',
    async run(harness) {
      const [a, b, c] = harness.ends;
      const [logA, logB, logC] = await linked(harness);
      a.transport.closeLink(b.device, 'for the test');
      await harness.pass(4 * LINKED_MS);
      checkEqual([logA.downs, logB.downs, logC.downs], [[b.device], [a.device], []], 'ends of links');
      check(logA.isUp(b.device) && logB.isUp(a.device), 'it is linked again');
      a.transport.closeLink(a.device, 'no such link');
      check(logA.isUp(c.device), 'other links live');
    },
  },
  {
    name: 'messages sent before close arrive, and nothing is reported afterwards',
    async run(harness) {
      const [a, b, c] = harness.ends;
      const [logA, logB] = await linked(harness);
      const message = patternOf(LONG_BYTES, 9);
      const sent = a.transport.send(b.device, [message], 'control');
      await settledWith(
        harness,
        sent.then(() => a.transport.close()),
      );
      const [ups, messages] = [logA.ups.length, logA.messages.length];
      await harness.pass(LINKED_MS);
      checkEqual(logB.from(a.device), [digest(message)], 'what arrived');
      checkEqual(logB.downs, [a.device], 'ends of links');
      await checkRejects(b.transport.send(a.device, [], 'control'), 'link-closed', 'to one that closed');
      checkEqual([logA.ups.length, logA.messages.length], [ups, messages], 'what the closed one hears');
      await settledWith(harness, b.transport.send(c.device, [Uint8Array.of(1)], 'control'));
      await settledWith(harness, a.transport.close());
    },
  },
];

/**
 * Records what one end was told. It checks that links begin and end in turns, and that messages come over
 * links that are up.
 */
class EndLog implements TransportEvents {
  readonly ups: DeviceId[] = [];
  readonly downs: DeviceId[] = [];
  readonly relayStates: string[] = [];
  readonly messages: { readonly from: DeviceId; readonly digest: string }[] = [];
  readonly #up = new Set<DeviceId>();
  /** Calls of the transport that have not returned. */
  callCount = 0;

  isUp(device: DeviceId): boolean {
    return this.#up.has(device);
  }

  /** Digests of the messages of one device, in the order of their arrival. */
  from(device: DeviceId): string[] {
    return this.messages.filter(({ from }) => from === device).map((message) => message.digest);
  }

  linkUp(device: DeviceId): void {
    check(!this.#up.has(device), 'a link that is up comes up again');
    this.#up.add(device);
    this.ups.push(device);
  }

  linkDown(device: DeviceId): void {
    check(this.#up.delete(device), 'a link ends that is not up');
    this.downs.push(device);
  }

  message(device: DeviceId, bytes: Uint8Array<ArrayBuffer>): void {
    check(this.#up.has(device), 'a message comes over a link that is not up');
    check(this.callCount === 0, 'a message comes within a call of the transport');
    this.messages.push({ from: device, digest: digest(bytes) });
    bytes.fill(0xee);
  }

  relayState(state: string): void {
    this.relayStates.push(state);
  }

  rejected(rejection: Rejection): void {
    check(false, `an honest device was refused something: ${JSON.stringify(rejection)}`);
  }
}

/** Opens all transports and lets them link. */
async function linked(harness: TransportHarness): Promise<readonly [EndLog, EndLog, EndLog]> {
  const logs = [new EndLog(), new EndLog(), new EndLog()] as const;
  for (const [at, { transport }] of harness.ends.entries()) {
    const log = logs[at];
    if (log !== undefined) transport.open(log);
  }
  await harness.pass(LINKED_MS);
  for (const [at, log] of logs.entries())
    for (const { device } of harness.ends)
      check(
        log.isUp(device) === (device !== harness.ends[at]?.device),
        `end ${at} is linked with the others`,
      );
  return logs;
}

async function settledWith<Result>(harness: TransportHarness, work: Promise<Result>): Promise<Result> {
  const [result] = await Promise.all([work, harness.pass(ARRIVED_MS)]);
  return result;
}

function patternOf(length: number, seed: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 7 + (at >> 8)) & 0xff);
}

/** Identifies messages in the error of a broken contract: their length and an FNV-1a hash. */
function digest(bytes: Uint8Array): string {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return `${bytes.length} bytes, ${hash.toString(16)}`;
}
