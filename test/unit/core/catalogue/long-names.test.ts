// Names of more than 255 bytes, as records carry them: members of earlier versions take the record, and
// others get the whole name back.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readDetails, writtenDetails } from '../../../../src/core/catalogue/long-names.ts';
import vectors from '../../../vectors/long-names.json' with { type: 'json' };
import { utf8Length } from '../../../../src/core/encoding/decode.ts';

it.each(vectors.cases)('golden vector: $details.name', ({ details, written }) => {
  expect(writtenDetails({ ...details, mime: '' })).toEqual({ ...written, mime: '' });
  expect(readDetails({ ...written, mime: '' })).toEqual({ ...details, mime: '' });
});

const NAME = `${'語'.repeat(99)}.jpeg`;

it('has a name that earlier versions take, with its extension, and the whole one in the path', () => {
  const written = writtenDetails({ name: NAME, path: 'Ferien/2024', mime: 'image/jpeg' });
  expect(written).toEqual({
    name: `${'語'.repeat(83)}.jpeg`,
    path: `Ferien/2024/${NAME}`,
    mime: 'image/jpeg',
  });
  expect(utf8Length(written.name)).toBeLessThanOrEqual(255);
});

it('leaves names of up to 255 bytes, and folders of long names, as they are', () => {
  for (const details of [
    { name: 'x'.repeat(255), path: 'a', mime: '' },
    { name: 'other.jpeg', path: `a/${NAME}`, mime: '' },
    { name: NAME.slice(0, 5), path: NAME, mime: '' },
  ]) {
    expect(writtenDetails(details)).toEqual(details);
    expect(readDetails(details)).toEqual(details);
  }
});

it('gives every name back as it was, slashes included', () => {
  const piece = fc.constantFrom('語', 'é', '🌴', 'a', '.', '/', ' ', '.txt');
  const name = fc
    .array(piece, { minLength: 1, maxLength: 127 })
    .map((pieces) => pieces.join('').slice(0, 255));
  const path = fc
    .array(fc.constantFrom('a', '語語', 'b c'), { maxLength: 4 })
    .map((parts) => parts.join('/'));
  fc.assert(
    fc.property(name, path, (given, folder) => {
      const details = { name: given.replace(/\p{Surrogate}/gu, ''), path: folder, mime: '' };
      const written = writtenDetails(details);
      expect(utf8Length(written.name)).toBeLessThanOrEqual(255);
      expect(readDetails(written)).toEqual(details);
    }),
    {
      examples: [
        [NAME, ''],
        [`a/${NAME}`, 'b'],
        [`${NAME}/${'語'.repeat(99)}`, 'c'],
      ],
    },
  );
});
