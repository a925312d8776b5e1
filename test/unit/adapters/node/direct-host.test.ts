// The host of direct calls over real UDP and DTLS, on this machine: callers are what browsers are, by the
// same library.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DirectHost } from '../../../../src/adapters/node/direct-host.ts';
import {
  loadDirectKeys,
  moveDirectKeys,
  type DirectKeys,
} from '../../../../src/adapters/node/direct-keys.ts';
import { loadDataChannels, type DataChannels } from '../../../../src/adapters/node/node-webrtc.ts';
import { systemClock } from '../../../../src/adapters/portable/clock.ts';
import { parsePoolId } from '../../../../src/core/model/ids.ts';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { MAX_DIRECT_CALLS } from '../../../../src/core/model/limits.ts';
import type { DirectAddress } from '../../../../src/core/pairing/direct-address.ts';
import { calledEnd } from '../../../../src/core/pairing/direct-call.ts';
import { encodePairMessage, roomTag } from '../../../../src/core/pairing/pair-message.ts';
import { endOfSdp, sdpOf, type PairEnd } from '../../../../src/core/pairing/pair-sdp.ts';
import { SignalWires } from '../../../../src/core/pairing/signal-wires.ts';

const ROOM = parsePoolId('00112233445566778899aabbccddeeff');
const LOOPBACK = ['127.0.0.1'];

let folder: string;
let dataChannels: DataChannels;
let keys: DirectKeys;
let wires: SignalWires;
let host: DirectHost;
let address: DirectAddress;
/** Connections that the host made. */
let answeredCount: number;
/** Of them, the first ones fail. */
let failingCount: number;
const endings: (() => void)[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'palm-direct-'));
  dataChannels = await loadDataChannels();
  keys = await loadDirectKeys(join(folder, 'direct.json'));
  wires = new SignalWires();
  answeredCount = 0;
  failingCount = 0;
  host = new DirectHost(counting(), { ...keys, clock: systemClock, wires, hosts: () => LOOPBACK });
  const known = host.address;
  if (known === undefined) throw new Error('it has one');
  address = known;
});

afterEach(() => {
  for (const end of endings.splice(0)) end();
  host.close();
});

function counting(): DataChannels {
  const { IceUdpMuxListener, PeerConnection } = dataChannels;
  const Counted = new Proxy(PeerConnection, {
    construct(Target, [name, config]: ConstructorParameters<typeof PeerConnection>) {
      answeredCount += 1;
      if (answeredCount <= failingCount) throw new Error('no socket is left');
      return new Target(name, config);
    },
  });
  return { IceUdpMuxListener, PeerConnection: Counted };
}

/** What a caller's connection came to. `written`: what it says of itself, default the truth. */
function call(to: DirectAddress, written: (own: PairEnd) => PairEnd = (own) => own) {
  const connection = new dataChannels.PeerConnection('caller', { iceServers: [] });
  const channel = connection.createDataChannel('palm-pairing', { negotiated: true, id: 0 });
  endings.push(() => connection.close());
  const messages: Uint8Array[] = [];
  let heard = (): void => undefined;
  channel.onMessage((data) => {
    messages.push(typeof data === 'string' ? new Uint8Array(0) : new Uint8Array(data));
    heard();
  });
  const ended = new Promise<string>((resolve) => {
    connection.onStateChange((state) => {
      if (['failed', 'closed', 'disconnected'].includes(state)) resolve('ended');
    });
  });
  const opened = new Promise<string>((resolve) => channel.onOpen(() => resolve('opened')));
  const own = written(endOfSdp(connection.localDescription()?.sdp ?? ''));
  connection.setRemoteDescription(sdpOf(calledEnd(to, own), 'answer'), 'answer');
  return {
    outcome: Promise.race([opened, ended]),
    ended,
    channel,
    userName: `${calledEnd(to, own).ufrag}:${own.ufrag}`,
    async first(): Promise<Uint8Array | undefined> {
      if (messages.length === 0) await new Promise<void>((resolve) => (heard = resolve));
      return messages[0];
    },
  };
}

/** Resolves with the wire that the next call makes, and with what comes over it. */
function nextWire() {
  return new Promise<string>((resolve) => {
    const stop = wires.listen({
      wire: (wire, isUp) => {
        if (!isUp) return;
        resolve(wire);
        wires.send(wire, ROOM, Uint8Array.of(7));
      },
      envelope: () => undefined,
    });
    endings.push(stop);
  });
}

/**
 * The first packet of ICE with `userName` (RFC 8489, sections 5, 14.3 and 14.5). Its integrity is wrong,
 * which nobody can tell who does not know the call.
 */
function stunPacket(userName: string): Buffer {
  const name = Buffer.from(userName);
  const padded = Buffer.concat([name, Buffer.alloc((4 - (name.length % 4)) % 4)]);
  const attribute = Buffer.alloc(4);
  attribute.writeUInt16BE(0x00_06, 0);
  attribute.writeUInt16BE(name.length, 2);
  const header = Buffer.alloc(20);
  header.writeUInt16BE(0x00_01, 0);
  const integrity = Buffer.alloc(24, 1);
  integrity.writeUInt16BE(0x00_08, 0);
  integrity.writeUInt16BE(20, 2);
  header.writeUInt16BE(4 + padded.length + integrity.length, 2);
  header.writeUInt32BE(0x21_12_a4_42, 4);
  header.fill(9, 8);
  return Buffer.concat([header, attribute, padded, integrity]);
}

async function flood(userNames: readonly string[]): Promise<void> {
  const socket = createSocket('udp4');
  for (const userName of userNames) {
    await new Promise((resolve) =>
      socket.send(stunPacket(userName), address.addresses[0]?.port, '127.0.0.1', resolve),
    );
  }
  socket.close();
  await once(socket, 'close');
}

describe('a call', () => {
  it('makes a wire that carries envelopes both ways, and several at once', async () => {
    const wire = nextWire();
    const [first, second] = [call(address), call(address)];
    expect(await Promise.all([first.outcome, second.outcome])).toEqual(['opened', 'opened']);
    await wire;
    const frame = await first.first();
    const sent = encodePairMessage({ kind: 'envelope', room: roomTag(ROOM), envelope: Uint8Array.of(7) });
    expect(hexOf(frame ?? new Uint8Array(0))).toBe(hexOf(sent));
    const heard = new Promise<Uint8Array>((resolve) => {
      endings.push(
        wires.listen({ wire: () => undefined, envelope: (_wire, _room, envelope) => resolve(envelope) }),
      );
    });
    second.channel.sendMessageBinary(
      encodePairMessage({ kind: 'envelope', room: roomTag(ROOM), envelope: Uint8Array.of(8) }),
    );
    expect(hexOf(await heard)).toBe('08');
  });

  it('ends when it says what no wire knows, or that it is done', async () => {
    for (const message of [Uint8Array.of(1, 2), encodePairMessage({ kind: 'done' })]) {
      const caller = call(address);
      expect(await caller.outcome).toBe('opened');
      caller.channel.sendMessageBinary(message);
      expect(await caller.ended).toBe('ended');
    }
  });

  it('that cannot be answered ends nothing, and takes no place', async () => {
    failingCount = MAX_DIRECT_CALLS;
    for (let count = 1; count <= failingCount; count++) {
      call(address);
      await vi.waitUntil(() => answeredCount >= count, { timeout: 10_000 });
    }
    expect(await call(address).outcome).toBe('opened');
  });

  it('fails for a caller with another certificate than its call says, as one in the middle has', async () => {
    const other = call(address, (own) => ({ ...own, fingerprint: new Uint8Array(32).fill(3) }));
    expect(await other.outcome).toBe('ended');
  });

  it('fails at a host with another certificate than the address says', async () => {
    const other = call({ ...address, fingerprint: new Uint8Array(32).fill(3) });
    expect(await other.outcome).toBe('ended');
  });
});

describe('packets of others', () => {
  it('open nothing, whatever they say, and keep out nobody', async () => {
    const before = nextWire();
    const names = Array.from({ length: 500 }, (_each, number) => `${String(number).padStart(90, 'x')}:abcd`);
    await flood([...names, '', ':', 'a', `${'y'.repeat(400)}:z`, '\r\n:\r\n']);
    expect(await call(address).outcome).toBe('opened');
    expect(await before).toBe('wire-1');
    expect(answeredCount).toBe(1);
  });

  it('open nothing when they repeat a call that ended', async () => {
    const first = call(address);
    expect(await first.outcome).toBe('opened');
    first.channel.sendMessageBinary(encodePairMessage({ kind: 'done' }));
    await first.ended;
    await flood([first.userName, first.userName, first.userName]);
    expect(await call(address).outcome).toBe('opened');
    expect(answeredCount).toBe(2);
  });
});

describe('the keys', () => {
  it('are the same in the next run, and readable by their owner only', async () => {
    const path = join(folder, 'direct.json');
    expect(await loadDirectKeys(path)).toEqual(keys);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  it('move to another port when something has theirs, and stay the same otherwise', async () => {
    const path = join(folder, 'direct.json');
    const taken = (): DirectHost =>
      new DirectHost(dataChannels, { ...keys, clock: systemClock, wires, hosts: () => LOOPBACK });
    expect(taken).toThrow();
    const moved = await moveDirectKeys(path, keys);
    expect(moved).toEqual({ ...keys, port: moved.port });
    expect(moved.port).not.toBe(keys.port);
    expect(await loadDirectKeys(path)).toEqual(moved);
  });

  it.each([
    ['damaged', () => '{"port":'],
    ['empty', () => ''],
    ['another form', () => '[]'],
    ['a port that is none', (text: string) => text.replace(/"port":\d+/u, '"port":70000')],
    ['a short secret', (text: string) => text.replace(/"secret":"../u, '"secret":"')],
    ['a certificate without its key', (text: string) => text.replace(/"key":"[^"]*"/u, '"key":""')],
  ])('are made anew when their file is %s', async (_what, damage) => {
    const path = join(folder, 'direct.json');
    writeFileSync(path, damage(readFileSync(path, 'utf8')));
    const made = await loadDirectKeys(path);
    expect(hexOf(made.fingerprint)).not.toBe(hexOf(keys.fingerprint));
    expect(await loadDirectKeys(path)).toEqual(made);
  });
});
