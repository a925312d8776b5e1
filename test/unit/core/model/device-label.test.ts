import { expect, test } from 'vitest';
import { freeName, isSuggestedName } from '../../../../src/core/model/device-label.ts';

test('a free name has the first number that tells it apart, also from names that only look the same', () => {
  expect(freeName('Mac (Safari)', [])).toBe('Mac (Safari)');
  expect(freeName('Mac (Safari)', ['Phone', 'Mac (Safari) 2'])).toBe('Mac (Safari)');
  expect(freeName('Mac (Safari)', ['MAC (safari)'])).toBe('Mac (Safari) 2');
  expect(freeName('Mac (Safari)', ['Mac (Safari)', 'mac (safari) ２', 'Mac (Safari) 3'])).toBe(
    'Mac (Safari) 4',
  );
});

test('only what was suggested counts as suggested', () => {
  const isSuggested = (name: string): boolean => isSuggestedName(name, 'Mac');
  expect(['Mac', 'Mac 2', 'Mac 10'].filter(isSuggested)).toHaveLength(3);
  expect(['mac', 'Mac 2 ', 'Mac two', 'Mac ', 'Macintosh', 'Mac 2nd', ''].filter(isSuggested)).toEqual([]);
});
