// What of a client's datagrams reaches the TURN server: whole exchanges over UDP, with a server that only
// repeats what it gets.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isChannelData, plainAddress, readStun } from '../../../signaling/turn/stun-message.ts';
import { judge } from '../../../signaling/turn/turn-gate.ts';
import { TurnPorts } from '../../../signaling/turn/turn-ports.ts';
import { TurnRights } from '../../../signaling/turn/turn-rights.ts';
import { parsePoolId } from '../../../src/core/model/ids.ts';
import { parseConnectionId } from '../../../src/core/wire/relay-protocol.ts';

const OURS = parsePoolId('a'.repeat(32));
const THEIRS = parsePoolId('b'.repeat(32));
const ID = parseConnectionId('0123456789abcdef'.repeat(2));
const ONE = { address: '10.0.0.2', port: 50_000 };
const TWO = { address: '10.0.0.3', port: 50_001 };
const OTHER = { address: '10.0.0.4', port: 50_002 };
const MAGIC = [0x21, 0x12, 0xa4, 0x42];
const TRANSACTION = Array.from({ length: 12 }, (_, index) => index);
const TYPE = { binding: 1, allocate: 3, refresh: 4, permission: 8, channel: 9, connect: 10, send: 0x16 };
const DROPPED = { kind: 'drop' };

/** IPv4. */
function peer({ address, port }: { address: string; port: number }): [number, number[]] {
  const bytes = address.split('.').map((part, index) => Number(part) ^ (MAGIC[index] ?? 0));
  return [0x12, [0, 1, (port >> 8) ^ 0x21, (port & 255) ^ 0x12, ...bytes]];
}

function user(name: string): [number, number[]] {
  return [0x06, [...Buffer.from(name)]];
}

function stun(type: number, ...attributes: [number, number[]][]): Buffer {
  const body = attributes.flatMap(([name, value]) => [
    name >> 8,
    name & 255,
    value.length >> 8,
    value.length & 255,
    ...value,
    ...Array.from({ length: (4 - (value.length % 4)) % 4 }, () => 0),
  ]);
  return Buffer.from([
    type >> 8,
    type & 255,
    body.length >> 8,
    body.length & 255,
    ...MAGIC,
    ...TRANSACTION,
    ...body,
  ]);
}

function world() {
  const rights = new TurnRights(
    () => 0,
    () => ['10.0.0.1'],
  );
  rights.entered(ONE.address, OURS);
  rights.entered(TWO.address, OURS);
  rights.entered(OTHER.address, THEIRS);
  const { username } = rights.credential(0, ID, ONE.address, OURS);
  return { rights, username, name: user(username) };
}

describe('the gate', () => {
  test('tells a client where it is, and strangers nothing', () => {
    const { rights } = world();
    // RFC 5769, section 2.2 has the form of such an answer.
    const answer = judge(rights, ONE, stun(TYPE.binding), undefined);
    const xored = [0, 1, (ONE.port >> 8) ^ 0x21, (ONE.port & 255) ^ 0x12, 10 ^ 0x21, 0x12, 0xa4, 2 ^ 0x42];
    const bytes = Buffer.from([1, 1, 0, 12, ...MAGIC, ...TRANSACTION, 0, 0x20, 0, 8, ...xored]);
    expect(answer).toEqual({ kind: 'answer', bytes });
    expect(judge(rights, { address: '10.0.0.9', port: 1 }, stun(TYPE.binding), undefined)).toEqual(DROPPED);
  });

  test('lets permissions and channels for devices of the room pass', () => {
    const { rights, name } = world();
    for (const type of [TYPE.permission, TYPE.channel]) {
      const asked = stun(type, name, peer(TWO));
      expect(judge(rights, ONE, asked, undefined)).toEqual({ kind: 'pass', room: OURS, begins: false });
    }
    expect(judge(rights, ONE, stun(TYPE.send, peer(TWO)), OURS)).toEqual({ kind: 'pass', begins: false });
  });

  test.each([
    ['another room', OTHER],
    ['nobody', { address: '10.0.0.9', port: 50_000 }],
    ['the relay', { address: '10.0.0.1', port: 50_000 }],
    ['loopback', { address: '127.0.0.1', port: 50_000 }],
    ['a service of a device', { address: TWO.address, port: 80 }],
  ])('refuses every way to %s', (_who, to) => {
    const { rights, name } = world();
    for (const type of [TYPE.permission, TYPE.channel]) {
      expect(judge(rights, ONE, stun(type, name, peer(to)), OURS)).toMatchObject({ kind: 'answer' });
      // Hidden behind one that is allowed.
      expect(judge(rights, ONE, stun(type, name, peer(TWO), peer(to)), OURS)).toMatchObject({
        kind: 'answer',
      });
    }
    expect(judge(rights, ONE, stun(TYPE.send, peer(to)), OURS)).toEqual(DROPPED);
  });

  test('refuses what has no credential of this address, in the form of the protocol', () => {
    const { rights, name } = world();
    const refused = judge(rights, TWO, stun(TYPE.permission, name, peer(ONE)), undefined);
    if (refused.kind !== 'answer') throw new Error('it passed');
    expect(refused.bytes.readUInt16BE(0)).toBe(0x118);
    expect([...refused.bytes.subarray(24, 28)]).toEqual([0, 0, 4, 3]);
    expect(refused.bytes.readUInt16BE(2)).toBe(refused.bytes.length - 20);
    expect(judge(rights, ONE, stun(TYPE.permission, peer(TWO)), undefined)).toMatchObject({ kind: 'answer' });
    expect(judge(rights, ONE, stun(TYPE.refresh, user('1.2')), undefined)).toMatchObject({ kind: 'answer' });
    // The first name counts, for the server as here.
    const twice = stun(TYPE.permission, user('1.2'), name, peer(TWO));
    expect(judge(rights, ONE, twice, undefined)).toMatchObject({ kind: 'answer' });
  });

  test('drops methods that nobody needs, and data without a credential', () => {
    const { rights, name } = world();
    for (const type of [TYPE.connect, 0x0b, 0x11, 0x17, 0x101]) {
      expect(judge(rights, ONE, stun(type, name, peer(TWO)), OURS)).toEqual(DROPPED);
    }
    expect(judge(rights, ONE, stun(TYPE.send, peer(TWO)), undefined)).toEqual(DROPPED);
    expect(judge(rights, ONE, Buffer.from([0x40, 0, 0, 1, 9]), undefined)).toEqual(DROPPED);
  });

  test('lets nothing pass to another address, whatever the bytes are', () => {
    const { rights, name } = world();
    const whole = stun(TYPE.permission, name, peer(OTHER));
    const changed = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 });
    fc.assert(
      fc.property(changed, fc.nat(whole.length), (changes, byteCount) => {
        const bytes = Buffer.from(whole);
        for (const [at, value] of changes) bytes[at] = value;
        const verdict = judge(rights, ONE, bytes.subarray(0, byteCount), OURS);
        if (verdict.kind !== 'pass') return;
        const peers = readStun(bytes)?.peers ?? [];
        expect(
          isChannelData(bytes) || peers.every((known) => known?.address === TWO.address) || bytes[1] === 3,
        ).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

test('addresses have one form', () => {
  const texts = ['10.0.0.1', '::ffff:10.0.0.1', 'FE80::1%eth0', 'fd00:0:0::0001', '', 'localhost'];
  expect(texts.map(plainAddress)).toEqual(['10.0.0.1', '10.0.0.1', 'fe80::1', 'fd00::1', '', '']);
});

describe('the ports', () => {
  async function open(limits?: ConstructorParameters<typeof TurnPorts>[2]) {
    const rights = new TurnRights(
      () => 0,
      () => [],
    );
    const problems: string[] = [];
    const ports = new TurnPorts(rights, (message) => problems.push(message), limits);
    onTestFinished(() => ports.close());
    await ports.listen(['127.0.0.1'], 0);
    const server = createSocket('udp4');
    onTestFinished(() => void server.close());
    const reached: Buffer[] = [];
    server.on('message', (bytes, { port, address }) => {
      reached.push(bytes);
      server.send(bytes, port, address);
    });
    server.bind(0, '127.0.0.1');
    await once(server, 'listening');
    ports.serverPort = server.address().port;
    const client = createSocket('udp4');
    onTestFinished(() => void client.close());
    const answer = async (bytes: Buffer): Promise<Buffer> => {
      const answered = once(client, 'message');
      client.send(bytes, ports.port, '127.0.0.1');
      const [got] = await answered;
      return got;
    };
    return { rights, ports, server, reached, client, answer, problems };
  }

  test('hand on what passes, and what comes back', async () => {
    const { rights, answer, reached } = await open();
    rights.entered('127.0.0.1', OURS);
    const { username } = rights.credential(0, ID, '127.0.0.1', OURS);
    const first = stun(TYPE.allocate);
    const second = stun(TYPE.allocate, user(username));
    expect(await answer(first)).toEqual(first);
    expect(await answer(second)).toEqual(second);
    const data = Buffer.from([0x40, 0, 0, 1, 9, 0, 0, 0]);
    expect(await answer(data)).toEqual(data);
    // Loopback is never a peer: refused here, and the server hears nothing of it.
    const refused = await answer(
      stun(TYPE.permission, user(username), peer({ address: '127.0.0.1', port: 50_000 })),
    );
    expect(refused.readUInt16BE(0)).toBe(0x118);
    expect(reached).toEqual([first, second, data]);
  });

  test('begin nothing for a stranger, and end all flows with their server', async () => {
    const { rights, ports, client, answer, reached } = await open();
    const member = createSocket('udp4');
    onTestFinished(() => void member.close());
    member.bind(0, '127.0.0.2');
    rights.entered('127.0.0.2', OURS);
    client.send(stun(TYPE.allocate), ports.port, '127.0.0.1');
    // Answered after the one above, which came first.
    const answered = once(member, 'message');
    member.send(stun(TYPE.binding), ports.port, '127.0.0.1');
    await answered;
    expect(reached).toEqual([]);
    rights.entered('127.0.0.1', OURS);
    await answer(stun(TYPE.allocate));
    ports.endFlows();
    client.send(stun(TYPE.refresh, user('1.2')), ports.port, '127.0.0.1');
    await answer(stun(TYPE.binding));
    expect(reached.length).toBe(1);
  });

  test('hand on no more bytes than all may have together', async () => {
    const first = stun(TYPE.allocate);
    const all = { burst: first.length, perSecond: 0.001 };
    const { rights, ports, client, answer, reached } = await open({ all });
    rights.entered('127.0.0.1', OURS);
    expect(await answer(first)).toEqual(first);
    client.send(first, ports.port, '127.0.0.1');
    await answer(stun(TYPE.binding));
    expect(reached).toEqual([first]);
  });

  test('hand on no more bytes of one address than it may have, whatever its ports, and those of others', async () => {
    const first = stun(TYPE.allocate);
    const ofAddress = { burst: 2 * first.length, perSecond: 0.001 };
    const { rights, ports, client, answer, reached } = await open({ ofAddress });
    for (const address of ['127.0.0.1', '127.0.0.2']) rights.entered(address, OURS);
    expect(await answer(first)).toEqual(first);
    const [second, member] = [createSocket('udp4'), createSocket('udp4')];
    onTestFinished(() => void second.close());
    onTestFinished(() => void member.close());
    second.bind(0, '127.0.0.1');
    member.bind(0, '127.0.0.2');
    const answered = once(second, 'message');
    second.send(first, ports.port, '127.0.0.1');
    expect((await answered)[0]).toEqual(first);
    // Its share is used up, at either port.
    client.send(first, ports.port, '127.0.0.1');
    await answer(stun(TYPE.binding));
    expect(reached).toHaveLength(2);
    const other = once(member, 'message');
    member.send(first, ports.port, '127.0.0.1');
    expect((await other)[0]).toEqual(first);
    // What comes back counts by itself.
    expect(reached).toHaveLength(3);
  });

  test('take another number where theirs is taken, and the same at every address', async () => {
    const { server } = await open();
    const ports = new TurnPorts(
      new TurnRights(
        () => 0,
        () => [],
      ),
      () => undefined,
    );
    onTestFinished(() => ports.close());
    const taken = server.address().port;
    await ports.listen(['127.0.0.1'], taken);
    expect([ports.port === taken, ports.port > 0]).toEqual([false, true]);
    const before = ports.port;
    await ports.listen(['127.0.0.1', '127.0.0.2'], taken);
    expect([ports.port, ports.addresses]).toEqual([before, ['127.0.0.1', '127.0.0.2']]);
    await ports.listen(['127.0.0.2'], taken);
    expect(ports.addresses).toEqual(['127.0.0.2']);
  });

  test('say where another program has their number', async () => {
    const { ports, problems } = await open();
    const other = createSocket('udp4');
    other.bind(ports.port, '127.0.0.2');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    for (let round = 0; round < 2; round += 1) await ports.listen(['127.0.0.1', '127.0.0.2'], 0);
    expect(ports.addresses).toEqual(['127.0.0.1']);
    expect(problems).toEqual([expect.stringMatching(/^The relay has no UDP port at 127\.0\.0\.2: /)]);
  });

  test('say nothing of an address that this machine has no longer', async () => {
    const { ports, problems } = await open();
    await ports.listen(['192.0.2.99'], 0);
    expect([ports.addresses, problems]).toEqual([[], []]);
  });
});
