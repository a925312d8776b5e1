// Who hears of TURN, and how its server is run: with a program that stands in for coturn, and tells how it
// was started.

import { chmodSync, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { coturnConfiguration, findCoturn, TURN_PROGRAM } from '../../../signaling/turn/coturn.ts';
import { turnPassword } from '../../../signaling/turn/turn-rights.ts';
import { TurnService } from '../../../signaling/turn/turn-service.ts';
import { parsePoolId } from '../../../src/core/model/ids.ts';
import { type IceOffer, parseConnectionId } from '../../../src/core/wire/relay-protocol.ts';
import { temporaryFolder } from '../../fixtures/relay-fixture.ts';

const ROOM = parsePoolId('a'.repeat(32));
const [FIRST, SECOND] = ['1', '2'].map((digit) => parseConnectionId(digit.repeat(32)));
const SECRET = '5e'.repeat(32);
const LAN = {
  relayAddresses: ['10.0.0.1'],
  ownAddresses: ['127.0.0.1', '10.0.0.1', 'fe80::1'],
  secret: SECRET,
};

/** Runs until it is ended, and leaves its own process id. */
const STAND_IN = '#!/bin/sh\necho $$ > running\nexec sleep 1000\n';

function service(script: string | undefined = STAND_IN) {
  const dataDir = temporaryFolder();
  const program = join(dataDir, 'program');
  writeFileSync(program, script);
  chmodSync(program, 0o755);
  const problems: string[] = [];
  const made = new TurnService({
    dataDir,
    program,
    ownAddresses: () => ['127.0.0.1', '::1'],
    onProblem: (message) => problems.push(message),
    nowMs: () => 1_000_000_000_000,
  });
  onTestFinished(() => made.close());
  return { made, problems, folder: join(dataDir, 'turn') };
}

function endIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // As it should be.
  }
}

describe('the configuration', () => {
  test('has short-lived credentials, bounds, and no way to this machine', () => {
    const lines = coturnConfiguration({ ...LAN, port: 4_000 }).split('\n');
    for (const line of [
      'listening-ip=127.0.0.1',
      'use-auth-secret',
      `static-auth-secret=${SECRET}`,
      'no-cli',
      'no-tcp-relay',
      'no-multicast-peers',
      'no-stdout-log',
      'simple-log',
      'log-file=/dev/null',
      'max-bps=8000000',
      'user-quota=64',
      'denied-peer-ip=127.0.0.0-127.255.255.255',
      'denied-peer-ip=169.254.0.0-169.254.255.255',
      'denied-peer-ip=10.0.0.1',
      'denied-peer-ip=fe80::1',
    ]) {
      expect(lines).toContain(line);
    }
    // With `bps-capacity`, coturn reserves `max-bps` of it for each allocation.
    expect(lines.filter((line) => /^(allow|bps-capacity)/.test(line))).toEqual([]);
  });

  test.each([
    { relayAddresses: ['10.0.0.1\nno-auth'] },
    { ownAddresses: ['localhost'] },
    { ownAddresses: ['fe80::1%eth0\nno-auth'] },
    { secret: `${'5e'.repeat(31)}\n5` },
    { secret: '' },
  ])('takes nothing that could be another line: %j', (changes) => {
    expect(() => coturnConfiguration({ ...LAN, port: 4_000, ...changes })).toThrow();
  });

  test('is found in the path, if it can be run', () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, TURN_PROGRAM), '');
    chmodSync(join(folder, TURN_PROGRAM), 0o600);
    expect(findCoturn(`${temporaryFolder()}:${folder}`)).not.toBe(join(folder, TURN_PROGRAM));
    chmodSync(join(folder, TURN_PROGRAM), 0o700);
    expect(findCoturn(`${temporaryFolder()}:${folder}`)).toBe(join(folder, TURN_PROGRAM));
  });
});

describe('the service', () => {
  test('tells clients in a room, each with a credential of its own, until they leave', async () => {
    const { made, folder } = service();
    const told = new Map<unknown, IceOffer[]>([
      [FIRST, []],
      [SECOND, []],
    ]);
    if (FIRST === undefined || SECOND === undefined) return;
    made.entered(FIRST, '10.0.0.2', ROOM, (offer) => told.get(FIRST)?.push(offer));
    made.entered(SECOND, '::ffff:10.0.0.3', ROOM, (offer) => told.get(SECOND)?.push(offer));
    expect([...told.values()].flat()).toEqual([]);
    await made.serve(['127.0.0.1'], 0);
    const offers = [...told.values()].map(([offer]) => offer);
    expect(offers.map((offer) => offer?.port)).toEqual([made.port, made.port]);
    expect(new Set(offers.map((offer) => offer?.turn?.username)).size).toBe(2);
    const secret =
      /static-auth-secret=(\w+)/.exec(readFileSync(join(folder, 'turnserver.conf'), 'utf8'))?.[1] ?? '';
    for (const offer of offers) {
      expect(offer?.turn?.credential).toBe(turnPassword(secret, offer?.turn?.username ?? ''));
    }
    made.left(SECOND);
    await made.serve([], 0);
    await made.serve(['127.0.0.1'], 0);
    expect([...told.values()].map(({ length }) => length)).toEqual([2, 1]);
  });

  test('tells clients on this machine nothing', async () => {
    const { made } = service();
    const tell = vi.fn<() => void>();
    await made.serve(['127.0.0.1'], 0);
    for (const [id, address] of [
      [FIRST, '127.0.0.1'],
      [SECOND, '::1'],
      [FIRST, undefined],
    ] as const) {
      if (id !== undefined) made.entered(id, address, ROOM, tell);
    }
    expect(tell).not.toHaveBeenCalled();
  });

  test('renews credentials at half of their life', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const { made } = service();
    const tell = vi.fn<() => void>();
    await made.serve(['127.0.0.1'], 0);
    if (FIRST !== undefined) made.entered(FIRST, '10.0.0.2', ROOM, tell);
    vi.advanceTimersByTime(10 * 60_000);
    expect(tell).toHaveBeenCalledTimes(2);
  });

  test('keeps its file from others, and a server only as long as itself', async () => {
    const { made, folder, problems } = service();
    await made.serve(['127.0.0.1'], 0);
    expect(statSync(join(folder, 'turnserver.conf')).mode & 0o777).toBe(0o600);
    await expect.poll(() => existsSync(join(folder, 'running'))).toBe(true);
    await expect.poll(() => readFileSync(join(folder, 'running'), 'utf8')).toMatch(/^\d+\n$/);
    const pid = Number(readFileSync(join(folder, 'running'), 'utf8'));
    await made.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    expect(problems).toEqual([]);
  });

  test('ends a server that hangs', async () => {
    const { made, folder } = service(
      "#!/bin/sh\ntrap '' TERM\necho $$ > running\nwhile :; do sleep 1; done\n",
    );
    await made.serve(['127.0.0.1'], 0);
    await expect.poll(() => existsSync(join(folder, 'running'))).toBe(true);
    await expect.poll(() => readFileSync(join(folder, 'running'), 'utf8')).toMatch(/^\d+\n$/);
    const pid = Number(readFileSync(join(folder, 'running'), 'utf8'));
    onTestFinished(() => endIfThere(pid));
    await made.close();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  test('without a server still tells addresses, and starts one that ended again', async () => {
    const { made, problems } = service('#!/bin/sh\nexit 3\n');
    const offers: IceOffer[] = [];
    if (FIRST !== undefined) made.entered(FIRST, '10.0.0.2', ROOM, (offer) => offers.push(offer));
    await made.serve(['127.0.0.1'], 0);
    await expect.poll(() => problems).toEqual(['The TURN server ended, and is started again.']);
    expect(offers.at(-1)).toEqual({ kind: 'ice', port: made.port, turn: null });
    // The next start.
    await expect.poll(() => offers.length, { timeout: 10_000 }).toBeGreaterThan(2);
    expect(problems.length).toBe(1);
  });

  test('says each time that one ended which had run for long, and starts it again soon', async () => {
    const { made, problems, folder } = service();
    await made.serve(['127.0.0.1'], 0);
    const running = (): string =>
      existsSync(join(folder, 'running')) ? readFileSync(join(folder, 'running'), 'utf8') : '';
    const end = async (before: string): Promise<string> => {
      await expect.poll(running, { timeout: 10_000 }).not.toBe(before);
      await expect.poll(running).toMatch(/^\d+\n$/);
      const known = running();
      process.kill(Number(known));
      return known;
    };
    const first = await end('');
    await expect.poll(() => problems.length).toBe(1);
    const second = await end(first);
    await expect.poll(() => made.hasTurn).toBe(false);
    expect(problems.length).toBe(1);
    await expect.poll(() => made.hasTurn, { timeout: 10_000 }).toBe(true);
    const now = performance.now.bind(performance);
    vi.spyOn(performance, 'now').mockImplementation(() => now() + 120_000);
    onTestFinished(() => void vi.restoreAllMocks());
    await end(second);
    await expect.poll(() => problems.length).toBe(2);
  });
});
