import { afterEach, describe, expect, it, vi } from 'vitest';

async function scaleUnder(palmLong: string): Promise<typeof import('../../scale.ts')> {
  vi.stubEnv('PALM_LONG', palmLong);
  vi.resetModules();
  return import('../../scale.ts');
}

describe('the scale of long tests', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is reduced by the factor that the title names', async () => {
    const { scaled, scaleNote } = await scaleUnder('');
    expect([scaled(100_000, 50), scaled(3, 50)]).toEqual([2_000, 1]);
    expect(scaleNote(50)).toBe('at 1/50 of its size');
  });

  it('is full in a long run', async () => {
    const { scaled, scaleNote } = await scaleUnder('1');
    expect(scaled(100_000, 50)).toBe(100_000);
    expect(scaleNote(50)).toBe('in full');
  });
});
