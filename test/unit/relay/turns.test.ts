// Which client's frame is handled next, and for how long in one turn of the event loop.

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Intake } from '../../../signaling/intake.ts';
import { addressKeyOf } from '../../../signaling/remote-address.ts';
import { Turns } from '../../../signaling/turns.ts';

/** A client with `count` frames. Each is noted under `name` when it is handled, and takes `lastsMs`. */
function client(taken: string[], name: string, count: number, lastsMs = 0): () => boolean {
  let left = count;
  return () => {
    const endMs = performance.now() + lastsMs;
    while (performance.now() < endMs); // a frame that takes its time
    taken.push(name);
    left -= 1;
    return left > 0;
  };
}

test('addresses take turns, and the clients of each', async () => {
  const turns = new Turns();
  const taken: string[] = [];
  const many = addressKeyOf('10.0.0.1');
  for (const name of ['a', 'b', 'c']) turns.add(many, client(taken, name, 2));
  turns.add(addressKeyOf('10.0.0.2'), client(taken, 'single', 3));
  await expect.poll(() => turns.isBusy).toBe(false);
  expect(taken.join(' ')).toBe('a single b single c single a b c');
});

test('long work leaves the event loop to others after each frame', async () => {
  const turns = new Turns();
  const taken: string[] = [];
  turns.add(addressKeyOf('10.0.0.1'), client(taken, 'frame', 3, 2));
  const note = (): void => {
    taken.push('others');
    if (turns.isBusy) setImmediate(note);
  };
  setImmediate(note);
  await expect.poll(() => turns.isBusy).toBe(false);
  expect(taken.join(' ')).toMatch(/^frame others frame others frame/);
});

/** Both ends of a connection, the accepted one first. */
async function connected(): Promise<[Socket, Socket]> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const place = server.address();
  if (place === null || typeof place === 'string') throw new Error('The server has no port.');
  const connection = once(server, 'connection');
  const far = connect(place.port, '127.0.0.1');
  const [near]: Socket[] = await connection;
  if (near === undefined) throw new Error('Nothing was accepted.');
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return [near, far];
}

test('an intake passes on piece by piece what arrived together, and its end last', async () => {
  const [near, far] = await connected();
  const heard: string[] = [];
  near.on('data', (chunk: Buffer) => heard.push(chunk.toString()));
  near.once('end', () => heard.push('end'));
  let waitingCount = 0;
  const intake = new Intake(near, Buffer.from('head'), () => (waitingCount += 1));
  far.end('abcde');
  await expect.poll(() => intake.heldBytes).toBe(9);
  const takeTwo = (): boolean => intake.takeOne((_chunk, at) => at + 2);
  expect([takeTwo(), takeTwo(), takeTwo()]).toEqual([true, true, true]);
  await expect.poll(() => heard).toEqual(['he', 'ad', 'ab']);
  const allHeard = (): string[] => {
    while (takeTwo());
    return heard;
  };
  await expect.poll(allHeard).toEqual(['he', 'ad', 'ab', 'cd', 'e', 'end']);
  expect(waitingCount).toBe(2); // the bytes, then the end, which was not read before
});

test('an intake reads no more while it holds something, but everything in the end', async () => {
  const [near, far] = await connected();
  let heardBytes = 0;
  near.on('data', (chunk: Buffer) => (heardBytes += chunk.length));
  let waits = 0;
  let mostBytes = 0;
  const intake = new Intake(near, Buffer.alloc(0), () => {
    waits += 1;
    setImmediate(take);
  });
  const take = (): void => {
    mostBytes = Math.max(mostBytes, intake.heldBytes);
    if (intake.takeOne((_chunk, at) => at + 4_096)) setImmediate(take);
  };
  far.write(Buffer.alloc(3_000_000));
  await expect.poll(() => heardBytes).toBe(3_000_000);
  expect(mostBytes).toBeLessThanOrEqual(64 * 1024);
  expect(waits).toBeGreaterThan(1);
});
