// CIDs in the type of a file: read back as they were written, and anything else is a part of the type.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sameCid, splitCid, withCid } from '../../../../src/core/model/content-cid.ts';
import { MAX_MIME_BYTES } from '../../../../src/core/model/limits.ts';

const V0 = 'QmYyLxtzZyW22zpoVAtKANLRHpDjZtNeDjQdJrcQNWoRkJ';
const RAW = 'bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e';

describe('a type with a CID', () => {
  it.each(['', 'video/mp4', 'text/plain; charset=utf-8'])('%j is read back', (mime) => {
    expect(splitCid(withCid(mime, V0))).toEqual({ mime, cid: V0 });
    // Another one takes the place of the first.
    expect(splitCid(withCid(withCid(mime, V0), RAW))).toEqual({ mime, cid: RAW });
    expect(withCid(mime, V0).length).toBeLessThan(MAX_MIME_BYTES);
  });

  it.each([
    ['no CID', 'video/mp4;ipfs-cid=hello'],
    ['one that is cut', `video/mp4;ipfs-cid=${V0.slice(0, -1)}`],
    ['one with something behind it', `video/mp4;ipfs-cid=${V0}; charset=utf-8`],
    ['another case', `video/mp4;ipfs-cid=${RAW.toUpperCase()}`],
    ['a path', `video/mp4;ipfs-cid=../${V0}`],
    ['a line of its own', `video/mp4;ipfs-cid=${V0}\r\nX: 1`],
    // A dag-cbor block is no file.
    ['another codec', 'x/y;ipfs-cid=bafyreigdmqpykrgxyaxtlafqpqhzrb7qy2rh75nldvfd4tucqmqqme5yje'],
    ['far more than a CID', `x/y;ipfs-cid=${'b'.repeat(200)}`],
  ])('is a type alone with %s', (_, written) => {
    expect(splitCid(written)).toEqual({ mime: written });
  });

  it('never throws, whatever a member writes', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 80 }), (text) => {
        sameCid(text);
        const { mime, cid } = splitCid(`${text};ipfs-cid=${text}`);
        expect(cid === undefined ? mime : withCid(mime, cid)).toBe(`${text};ipfs-cid=${text}`);
      }),
    );
  });
});

it('versions 0 and 1 of a CID are the same', () => {
  const v1 = sameCid(V0);
  expect(v1).toMatch(/^bafybei/u);
  expect(sameCid(v1 ?? '')).toBe(v1);
  expect(sameCid(RAW)).toBe(RAW);
});
