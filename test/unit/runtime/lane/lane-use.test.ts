// The page's side of the fast lane: what goes by it, and that a block which does not come by it is left to
// the link.

import { describe, expect, test } from 'vitest';
import { PalmError } from '../../../../src/core/model/errors.ts';
import type { BlockHash } from '../../../../src/core/model/ids.ts';
import { LANE_ASKED_BLOCKS, LANE_REQUESTS, LANE_REST_MS } from '../../../../src/core/model/limits.ts';
import type { LaneBrought, LaneClient } from '../../../../src/core/lane-port.ts';
import type { RunItem } from '../../../../src/core/wire/lane-run.ts';
import { LaneUse } from '../../../../src/runtime/lane/lane-use.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { deviceAt } from '../../../fixtures/pool-fixture.ts';
import { blockOf, type TestBlock } from '../../../fixtures/test-blocks.ts';

const ANCHOR = deviceAt(1).deviceId;
const ORIGIN = 'https://palm-abcde.local:8443';
const BLOCKS = Array.from({ length: 48 }, (_, seed) => blockOf(seed));

interface Call<Asked, Answer> {
  readonly token: string;
  readonly asked: readonly Asked[];
  answer(answer: Answer | PalmError): void;
}

interface LaneFetched {
  readonly blocks: readonly (Uint8Array<ArrayBuffer> | undefined)[];
  readonly isSound: boolean;
}

class Page implements LaneClient {
  readonly origin = ORIGIN;
  readonly clock = new ManualClock();
  readonly fetches: Call<BlockHash, LaneFetched>[] = [];
  readonly bringings: Call<RunItem, LaneBrought>[] = [];
  readonly use = new LaneUse(this, this.clock);

  async fetchBlocks(
    token: string,
    asked: readonly BlockHash[],
    arrived: (at: number, bytes: Uint8Array<ArrayBuffer>) => void,
  ): Promise<boolean> {
    const { blocks, isSound } = await called(this.fetches, token, asked);
    for (const [at, bytes] of blocks.entries()) if (bytes !== undefined) arrived(at, bytes);
    return isSound;
  }

  bringBlocks(token: string, asked: readonly RunItem[]): Promise<LaneBrought> {
    return called(this.bringings, token, asked);
  }

  grant(seed = 1, origins = [ORIGIN], lifeMs = 600_000): void {
    const token = new Uint8Array(32).fill(seed);
    this.use.granted(ANCHOR, { kind: 'lane', origins, token, lifeMs });
  }

  fetch(...blocks: readonly TestBlock[]): Promise<(Uint8Array | undefined)[]> {
    return Promise.all(blocks.map(({ hash }) => this.use.fetch(ANCHOR, hash)));
  }
}

function called<Asked, Answer>(
  calls: Call<Asked, Answer>[],
  token: string,
  asked: readonly Asked[],
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    calls.push({
      token,
      asked,
      answer: (answer) => (answer instanceof PalmError ? reject(answer) : resolve(answer)),
    });
  });
}

/** Lets everything happen that waits for nothing outside. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

function soundAnswer(...blocks: readonly (TestBlock | undefined)[]): LaneFetched {
  return { blocks: blocks.map((block) => block?.bytes), isSound: true };
}

const DIED = new PalmError({ code: 'storage-failed', reason: 'fragment-worker' });

describe('blocks are fetched', () => {
  test('together, a few requests at a time', async () => {
    const page = new Page();
    page.grant();
    const got = page.fetch(...BLOCKS);
    await settled();
    expect(page.fetches.map(({ asked }) => asked.length)).toEqual(
      Array.from({ length: LANE_REQUESTS }, () => LANE_ASKED_BLOCKS),
    );
    for (let answered = 0; answered < BLOCKS.length / LANE_ASKED_BLOCKS; answered++) {
      const run = BLOCKS.slice(answered * LANE_ASKED_BLOCKS, (answered + 1) * LANE_ASKED_BLOCKS);
      page.fetches[answered]?.answer(soundAnswer(...run));
      await settled();
    }
    const bytes = await got;
    expect(bytes).toEqual(BLOCKS.map((block) => block.bytes));
    expect(bytes.every((each) => each !== undefined && page.use.hasChecked(each))).toBe(true);
    expect(page.use.hasChecked(new Uint8Array(3))).toBe(false);
  });

  test('with the token that came last', async () => {
    const page = new Page();
    page.grant(1);
    page.grant(2);
    void page.fetch(...BLOCKS.slice(0, 1));
    await settled();
    expect(page.fetches.map(({ token }) => token)).toEqual([Buffer.alloc(32, 2).toString('base64url')]);
  });

  test('only from the page’s own origin, while the token is good and the link is up', async () => {
    const page = new Page();
    const [block] = BLOCKS;
    if (block === undefined) throw new Error('there are many');
    expect(await page.fetch(block), 'no token').toEqual([undefined]);
    page.grant(1, ['https://palm-other.local:8443', `${ORIGIN}/`]);
    expect(await page.fetch(block), 'another relay').toEqual([undefined]);
    page.grant(1, [ORIGIN], 1_000);
    page.clock.sleep(1_000);
    expect(await page.fetch(block), 'expired').toEqual([undefined]);
    page.grant();
    page.use.linkDown(ANCHOR);
    expect(await page.fetch(block), 'the link ended').toEqual([undefined]);
    page.grant();
    page.grant(1, ['https://palm-other.local:8443']);
    expect(await page.fetch(block), 'the relay moved').toEqual([undefined]);
    expect(page.fetches).toEqual([]);
  });
});

describe('a block that does not come is left to the link', () => {
  test('alone, when it alone was not sent', async () => {
    const page = new Page();
    page.grant();
    const got = page.fetch(...BLOCKS.slice(0, 2));
    await settled();
    page.fetches[0]?.answer(soundAnswer(undefined, BLOCKS[1]));
    expect(await got).toEqual([undefined, BLOCKS[1]?.bytes]);
    void page.fetch(...BLOCKS.slice(0, 1));
    await settled();
    expect(page.fetches, 'the lane goes on').toHaveLength(2);
  });

  test.each([
    ['a part that came was sound', { blocks: [BLOCKS[0]?.bytes], isSound: false }],
    ['the worker died', DIED],
  ])('with all that wait, when %s; then the lane rests', async (_, answer) => {
    const page = new Page();
    page.grant();
    const got = page.fetch(...BLOCKS);
    await settled();
    page.fetches[0]?.answer(answer);
    page.fetches[1]?.answer(soundAnswer(...BLOCKS.slice(16, 32)));
    const bytes = await got;
    expect(bytes[0]).toEqual(answer instanceof PalmError ? undefined : BLOCKS[0]?.bytes);
    expect(bytes.slice(16, 32), 'what was under way').toEqual(
      BLOCKS.slice(16, 32).map((block) => block.bytes),
    );
    expect(bytes.slice(32).every((each) => each === undefined)).toBe(true);
    page.grant(2);
    expect(await page.fetch(...BLOCKS.slice(0, 1)), 'a new token ends no rest').toEqual([undefined]);
    page.clock.sleep(LANE_REST_MS);
    void page.fetch(...BLOCKS.slice(0, 1));
    await settled();
    expect(page.fetches).toHaveLength(3);
  });

  test('at once when the link ends, whatever the lane does', async () => {
    const page = new Page();
    page.grant();
    const got = page.fetch(...BLOCKS);
    await settled();
    page.use.linkDown(ANCHOR);
    expect((await got).every((bytes) => bytes === undefined)).toBe(true);
  });
});

describe('a block that was asked for is brought', () => {
  test('and its memory comes back', async () => {
    const page = new Page();
    page.grant();
    const bringing = BLOCKS.slice(0, 3).map(({ bytes }, id) => page.use.bring(ANCHOR, id, bytes));
    await settled();
    const [run] = page.bringings;
    expect(run?.asked.map(({ number }) => number)).toEqual([0, 1, 2]);
    run?.answer({ isTaken: true, bytes: run.asked.map(({ bytes }) => bytes) });
    expect(await Promise.all(bringing)).toEqual(
      BLOCKS.slice(0, 3).map(({ bytes }) => ({ isTaken: true, bytes })),
    );
  });

  test('over the link, where the lane refuses it or died with it', async () => {
    const page = new Page();
    page.grant();
    const bytes = new Uint8Array(3);
    expect(await page.use.bring(deviceAt(2).deviceId, 1, bytes), 'no lane').toEqual({
      isTaken: false,
      bytes,
    });
    const refused = page.use.bring(ANCHOR, 1, bytes);
    await settled();
    page.bringings[0]?.answer({ isTaken: false, bytes: [bytes] });
    expect(await refused).toEqual({ isTaken: false, bytes });
    page.clock.sleep(LANE_REST_MS);
    const lost = page.use.bring(ANCHOR, 2, bytes);
    await settled();
    page.bringings[1]?.answer(DIED);
    expect(await lost).toEqual({ isTaken: false, bytes: undefined });
  });
});
