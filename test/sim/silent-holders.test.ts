// Reading on virtual time from devices that are there, answer pings, and swallow what they are asked for; and
// from those that are only slow.

import { expect } from 'vitest';
import { decodeMessage, type Message } from '../../src/core/wire/messages.ts';
import { wholeFragments } from './checks.ts';
import { K, N, placedFile, SEGMENT_BYTES, shuffled } from './placed-file.ts';
import { first, scenario } from './scenario.ts';

/** What devices that give nothing may cost a read that needs them, ms. */
const MOST_SILENT_MS = 5_000;
/** A request to one holder is hedged after this, ms, on a network as calm as here (src/core/reading). */
const HEDGE_MS = 1_500;

/** What a device that answers pings swallows: all that it is asked for, or its blocks, or one block. */
const SWALLOWED: Readonly<Record<number, (message: Message, answerCount: number) => boolean>> = {
  381: ({ kind }) => kind === 'index' || kind === 'block',
  382: ({ kind }) => kind === 'block',
  383: ({ kind }, blockCount) => kind === 'block' && blockCount >= 3,
};

scenario(
  'a holder that is there and swallows requests costs a read one delay, or five seconds where it is needed',
  [381, 382, 383],
  async (simulation) => {
    const { world, network } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 15 * SEGMENT_BYTES);
    const timed = async (reading: Promise<unknown>): Promise<number> => {
      const beganMs = world.nowMs;
      await world.settled('read', reading, 120_000);
      return world.nowMs - beganMs;
    };
    const usualMs = await timed(reader.read(fileId));
    // Fragment 0 is asked for first.
    const withholding = first(holders.filter((holder) => wholeFragments(holder, fileId).has(0)));
    let blockCount = 0;
    network.swallows = (from, to, sent) => {
      if (from !== withholding.id || to !== reader.id) return false;
      const { message } = decodeMessage(sent);
      const isSwallowed = SWALLOWED[world.seed]?.(message, blockCount) === true;
      if (message.kind === 'block' && !isSwallowed) blockCount += 1;
      return isSwallowed;
    };
    const reading = reader.read(fileId);
    expect(await timed(reading)).toBeLessThan(usualMs + HEDGE_MS + 500);
    expect(Buffer.compare(await reading, bytes)).toBe(0);

    const others = holders.filter((holder) => holder !== withholding);
    const needed = { silent: [withholding.name], isHeard: true, reach: K - 1, k: K };
    for (const [failure, away] of [
      [needed, others.slice(K - 1)] as const,
      [{ code: 'not-enough-fragments' }, others.slice(0, K - 1)] as const,
    ]) {
      for (const device of away) device.kill();
      await world.pass(10_000);
      blockCount = 0;
      const refused = expect(reader.read(fileId)).rejects.toMatchObject({ failure });
      expect(await timed(refused)).toBeLessThanOrEqual(MOST_SILENT_MS);
    }
    for (const device of others) await device.reopen();
    await world.until('all are back', () => reader.fileStatus(fileId)?.reach === N);
    network.swallows = () => false;
    expect(await timed(reader.read(fileId))).toBeLessThan(usualMs + 500);
  },
);

scenario(
  'several holders that swallow requests end a read within five seconds, by their names',
  [386, 387, 388, 389],
  async (simulation) => {
    const { world, network } = simulation;
    const { fileId, holders, reader } = await placedFile(simulation, 4 * SEGMENT_BYTES);
    const withholding = new Set(shuffled(simulation, holders).slice(0, N - K + 1));
    network.swallows = (from, to, sent) =>
      to === reader.id &&
      [...withholding].some(({ id }) => id === from) &&
      (world.seed % 2 === 0 || decodeMessage(sent).message.kind === 'block') &&
      decodeMessage(sent).payload !== undefined;
    const beganMs = world.nowMs;
    const refused = reader.read(fileId).catch((error: unknown) => error);
    const error = await world.settled('refused', refused, 120_000);
    const silent = expect.arrayContaining([...withholding].map(({ name }) => name));
    expect(error).toMatchObject({ failure: { silent, isHeard: true, reach: K - 1 } });
    expect(world.nowMs - beganMs).toBeLessThanOrEqual(MOST_SILENT_MS);
  },
);

scenario(
  'a slow holder is read from: one that takes seconds over each answer, and one on a poor link',
  [391, 392],
  async (simulation) => {
    const { world, network } = simulation;
    const { bytes, fileId, holders, reader } = await placedFile(simulation, 12 * SEGMENT_BYTES);
    for (const device of holders.slice(K)) device.kill();
    await world.pass(10_000);
    if (world.seed === 391) network.thinkingMs.set(first(holders).id, 2_000);
    // A block takes five seconds, and its frames come all the time.
    else network.faults = { ...network.faults, bytesPerMs: 50 };
    const read = await world.settled('read', reader.read(fileId), 240_000);
    expect(Buffer.compare(read, bytes)).toBe(0);
    expect(reader.notices).toEqual([]);
  },
);
