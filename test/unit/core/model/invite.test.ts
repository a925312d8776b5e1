// Invites and private file links: golden text, round trips, and detection of anything mistyped or cut.

import { base64url } from 'multiformats/bases/base64';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hexOf } from '../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../src/core/model/errors.ts';
import { fileIdOf, parseFileId } from '../../../../src/core/model/ids.ts';
import {
  decodeFileLink,
  decodeInvite,
  encodeFileLink,
  encodeInvite,
} from '../../../../src/core/model/invite.ts';
import { MAX_EPOCH } from '../../../../src/core/model/pool-keys.ts';
import vectors from '../../../vectors/invite.json' with { type: 'json' };
import { bytesOfHex, seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { expectOnly, expectThrows, fileIdAt } from '../../../fixtures/pool-fixture.ts';

const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const INVITE = encodeInvite({ secret: seededBytes(32, 1), epoch: 0 });
const LINK = encodeFileLink({ fileId: fileIdAt(0), linkKey: seededBytes(32, 2) });

describe('golden vectors', () => {
  it.each(vectors.invites)('invite of epoch $epoch', ({ secret, epoch, text }) => {
    expect(encodeInvite({ secret: bytesOfHex(secret), epoch })).toBe(text);
    const invite = decodeInvite(text);
    expect({ secret: hexOf(invite.secret), epoch: invite.epoch }).toEqual({ secret, epoch });
  });

  it.each(vectors.links)('link of $fileId', ({ fileId, linkKey, text }) => {
    expect(encodeFileLink({ fileId: parseFileId(fileId), linkKey: bytesOfHex(linkKey) })).toBe(text);
    const link = decodeFileLink(text);
    expect({ fileId: link.fileId, linkKey: hexOf(link.linkKey) }).toEqual({ fileId, linkKey });
  });
});

describe('text that is read back', () => {
  it('gives what was written, whatever address precedes it', () => {
    const addresses = fc.constantFrom(
      '',
      'https://palm-1f2e.local:8443/',
      'http://localhost:8080/?x=1',
      ' \n',
    );
    fc.assert(
      fc.property(
        bytes32,
        fc.nat(MAX_EPOCH),
        fc.uint8Array(),
        addresses,
        (secret, epoch, manifest, address) => {
          const invite = { secret: new Uint8Array(secret), epoch };
          expect(decodeInvite(`${address}#/join/${encodeInvite(invite)}\n`)).toEqual(invite);
          expect(decodeInvite(encodeInvite(invite))).toEqual(invite);
          const link = { fileId: fileIdOf(manifest), linkKey: new Uint8Array(secret) };
          expect(decodeFileLink(`${address}#/file/${encodeFileLink(link)}`)).toEqual(link);
        },
      ),
    );
  });

  it('fits a QR code well: 53 characters', () => {
    expect(INVITE).toHaveLength(53);
    expect(INVITE).toMatch(/^u[A-Za-z0-9_-]{52}$/);
  });
});

describe('unreadable text', () => {
  it('is a bad invite, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        for (const prefix of ['', 'u', '#/join/u', `${LINK.split('/')[0]}/u`]) {
          expectThrows('bad-invite', () => decodeInvite(prefix + text));
          expectThrows('bad-invite', () => decodeFileLink(prefix + text));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('includes every single mistyped, missing, doubled or swapped character', () => {
    const good = [INVITE, LINK] as const;
    const decoders = [decodeInvite, decodeFileLink] as const;
    for (const [which, text] of good.entries()) {
      const decode = decoders[which] ?? decodeInvite;
      for (let at = 0; at < text.length; at++) {
        const [before, character, after] = [text.slice(0, at), text[at] ?? '', text.slice(at + 1)];
        const other = character === 'A' ? 'B' : 'A';
        for (const broken of [before + other + after, before + after, before + character + character + after])
          expectThrows('bad-invite', () => decode(broken));
        const next = after[0] ?? character;
        if (next !== character)
          expectThrows('bad-invite', () => decode(before + next + character + after.slice(1)));
      }
    }
  });

  it('includes every length but the right one, and far too long a text', () => {
    for (let length = 0; length < 80; length++) {
      const text = base64url.encode(new Uint8Array(length).fill(1));
      expectThrows('bad-invite', () => decodeInvite(text));
    }
    expectThrows('bad-invite', () => decodeInvite(' '.repeat(5_000) + INVITE));
    expectThrows('bad-invite', () => decodeFileLink(`${LINK}/more`));
  });

  it('includes a link whose key belongs to another file', () => {
    const [, key] = LINK.split('/');
    expectThrows('bad-invite', () => decodeFileLink(`${fileIdAt(1)}/${key}`));
  });

  it('includes an invite read as a link and a link read as an invite', () => {
    expectThrows('bad-invite', () => decodeFileLink(INVITE));
    expectThrows('bad-invite', () => decodeInvite(LINK));
    expectOnly('bad-invite', () => decodeInvite(LINK.split('/')[1] ?? ''));
  });

  it('of a newer version asks for an update', () => {
    const newer = base64url.decode(INVITE);
    newer[0] = 2;
    let thrown: unknown;
    try {
      decodeInvite(base64url.encode(newer));
    } catch (error) {
      thrown = error;
    }
    expect(isPalmError(thrown) && thrown.failure).toEqual({ code: 'bad-invite', reason: 'newer-version' });
  });
});
