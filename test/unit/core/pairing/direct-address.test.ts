import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeInvite, readJoinLink } from '../../../../src/core/model/invite.ts';
import { directAddressIn, encodeDirectAddress } from '../../../../src/core/pairing/direct-address.ts';
import vectors from '../../../vectors/direct.json' with { type: 'json' };
import { bytesOfHex, hexOf } from '../../../../src/core/model/bytes.ts';

const ADDRESS = {
  fingerprint: bytesOfHex(vectors.fingerprint),
  secret: bytesOfHex(vectors.secret),
  addresses: vectors.addresses,
};
const INVITE = `https://palm-3f9a.local:8443/#/join/${encodeInvite({ secret: new Uint8Array(32).fill(7), epoch: 0 })}`;

describe('a direct address behind an invite', () => {
  it('has the form of FORMATS.md', () => {
    expect(encodeDirectAddress(ADDRESS)).toBe(vectors.text);
    expect(directAddressIn(vectors.text)).toEqual(ADDRESS);
  });

  it('leaves the invite before it what it was, for those who know no such address too', () => {
    const url = INVITE + vectors.text;
    expect(readJoinLink(url)).toEqual(readJoinLink(INVITE));
    expect(directAddressIn(url)).toEqual(ADDRESS);
    expect(directAddressIn(INVITE)).toBeUndefined();
  });

  it.each([
    ['other words behind it', `Join us: ${INVITE}${vectors.text} thanks, see you at/home`],
    ['line breaks', `${INVITE}${vectors.text}`.replaceAll(/.{60}/gu, '$&\n> ')],
    ['escapes', encodeURIComponent(INVITE + vectors.text)],
    ['one that was cut before it', `${INVITE}${vectors.text.slice(0, 60)}… ${INVITE}${vectors.text}`],
  ])('is found in text with %s', (_what, text) => {
    expect(directAddressIn(text)).toEqual(ADDRESS);
  });

  it('counts as absent when a sign of it is wrong, missing or too many markers come first', () => {
    fc.assert(
      fc.property(fc.nat(vectors.text.length - 6), fc.constantFrom('A', 'b', '7', ''), (at, sign) => {
        const text = vectors.text.slice(0, 4 + at) + sign + vectors.text.slice(5 + at);
        if (text !== vectors.text) expect(directAddressIn(text)).toBeUndefined();
      }),
    );
    expect(directAddressIn('/at/'.repeat(20) + vectors.text)).toBeUndefined();
    expect(directAddressIn(' '.repeat(20_000) + vectors.text)).toBeUndefined();
  });

  it('reads whatever comes without a bug, and any that was written', () => {
    fc.assert(fc.property(fc.string(), (text) => void directAddressIn(`/at/u${text}`)));
    const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
    const host = fc.ipV4().map((address) => ({ host: address, port: 4_567 }));
    fc.assert(
      fc.property(
        bytes(32),
        bytes(16),
        fc.array(host, { minLength: 1, maxLength: 4 }),
        (fingerprint, secret, addresses) => {
          const text = encodeDirectAddress({ fingerprint, secret, addresses });
          expect(text).toMatch(/[\da-z]$/iu);
          const read = directAddressIn(`${text} and more`);
          expect(read?.addresses).toEqual(addresses);
          expect(hexOf(read?.secret ?? new Uint8Array(0))).toBe(hexOf(secret));
        },
      ),
    );
  });
});
