// Pools that are left alone (story.ts): seeds that found bugs, and others.

import { expect, test } from 'vitest';
import { scaled, scaleNote, timeLimitMs } from '../../scale.ts';
import { chosenSeeds } from '../scenario.ts';
import { tellStory } from './story.ts';

const FACTOR = 5;
const COUNT = scaled(30, FACTOR);
const SHOWN_LINES = 60;

test.each(chosenSeeds() ?? Array.from({ length: COUNT }, (_, index) => 1 + index))(
  `a pool that is left alone keeps every file and recovers (seed %i), ${scaleNote(FACTOR)}`,
  async (seed) => {
    const { failure, trace } = await tellStory({ seed });
    expect(failure, trace.slice(-SHOWN_LINES).join('\n')).toBeUndefined();
  },
  timeLimitMs(120_000, 300_000),
);
