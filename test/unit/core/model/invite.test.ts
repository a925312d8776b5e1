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

  it.each(vectors.invites.flatMap((invite) => ('alsoRead' in invite ? [invite] : [])))(
    'the same in texts of before: $alsoRead',
    ({ secret, alsoRead = [] }) => {
      expect(alsoRead).toHaveLength(2);
      for (const text of alsoRead) expect(hexOf(decodeInvite(text).secret)).toBe(secret);
    },
  );

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

describe('a link as people paste it', () => {
  const invite = { secret: seededBytes(32, 1), epoch: 0 };
  const link = { fileId: fileIdAt(0), linkKey: seededBytes(32, 2) };
  const url = `https://palm-1f2e.local:8443/#/join/${INVITE}`;
  /** As mail programs do it: within the address, within the word before the secret, and within the secret. */
  const wrapped = (text: string, wrap: string) =>
    text.replace(/(local:8)(443\/#\/jo)(in\/.{20})/u, `$1${wrap}$2${wrap}$3${wrap}`);
  const pasted: readonly string[] = [
    ...[
      '.',
      ',',
      ';',
      '!',
      '?',
      ':',
      ')',
      ']',
      '}',
      '>',
      '"',
      '”',
      '’',
      '»',
      '…',
      '*',
      '|',
      '/',
      '。',
      '、',
      '&x=1',
      '?utm=1',
      ' thanks',
      '\nBen',
      'Ben',
    ].map((behind) => url + behind),
    `(${url})`,
    `<${url}>`,
    `"${url}".`,
    `[the invite](${url})`,
    `**${url}**`,
    `Join here: ${url} thanks, see you at https://example.com/#/joined`,
    `Join here: ${url}. Thanks`,
    `<a href="${url}">open</a>`,
    `<a href=&quot;${url.replaceAll('#', '&#35;').replaceAll('/', '&sol;').replaceAll('-', '&#x2d;')}&quot;>`,
    url.replace('#', '%23'),
    url.replace('#', '%2523'),
    encodeURIComponent(url),
    `https://safe.example/?url=${encodeURIComponent(url)}&data=05%7C01`,
    url.replace('#/', '/#/').replace('#/', '#'),
    url.replace('#/join', '#!/join'),
    url.replace('#/', ''),
    url.replace('https://palm-1f2e.local', 'HTTPS://PALM-1F2E.LOCAL'),
    url.replace('/join/', '/Join/'),
    url.replaceAll('-', '\u2011').replaceAll('#', '\uFF03').replaceAll('/', '\uFF0F'),
    [
      '\n',
      '\r\n',
      ' ',
      '\u00A0',
      '\n> ',
      '\n>> ',
      '\n| ',
      '=\n',
      '=\r\n',
      '\u00AD',
      '\u200B',
      '\u2060\n',
      '\\\n',
      '\t',
    ],
  ].flatMap((text) => (typeof text === 'string' ? [text] : text.map((wrap) => wrapped(url, wrap))));

  it.each(pasted)('is read: %j', (text) => {
    expect(decodeInvite(text)).toEqual(invite);
    expect(decodeInvite(`\uFEFF ${text} `)).toEqual(invite);
  });

  it.each(['\n', '\n> ', '=\n', '\u00AD'])('is read, without its address: wrapped by %j', (wrap) => {
    expect(decodeInvite(INVITE.slice(0, 30) + wrap + INVITE.slice(30))).toEqual(invite);
    expect(decodeInvite(`our invite: ${INVITE.slice(0, 30)}${wrap}${INVITE.slice(30)}, thanks`)).toEqual(
      invite,
    );
  });

  it('is read if it opens a private file, too', () => {
    const fileUrl = `https://palm-1f2e.local:8443/#/file/${LINK}`;
    for (const text of [
      `${fileUrl}.`,
      `<${fileUrl}>`,
      fileUrl.replace('#', '%23'),
      encodeURIComponent(fileUrl),
      `The film: ${fileUrl} (private)`,
      fileUrl.replace(/(file\/.{30})(.{40})/u, '$1\n> $2=\n'),
      fileUrl.replace(/(\/)(u.{20})/u, '\n$1\n$2\u00AD'),
      `The film is ${LINK}, enjoy`,
    ])
      expect(decodeFileLink(text), text).toEqual(link);
  });

  it('is read whichever of several is whole', () => {
    expect(decodeInvite(`${url.slice(0, -9)}… or ${url}`)).toEqual(invite);
    expect(decodeInvite(`${url} or ${url.slice(0, -9)}…`)).toEqual(invite);
  });
});

describe('the end of an invite', () => {
  const ends = fc.sample(fc.tuple(bytes32, fc.nat(MAX_EPOCH)), 2_000).map(([secret, epoch]) => {
    const invite = { secret: new Uint8Array(secret), epoch };
    return { invite, text: encodeInvite(invite) };
  });

  it('is a letter or digit, so that no chat program cuts it off', () => {
    for (const { text } of ends) expect(text).toMatch(/[A-Za-z0-9]$/u);
    const long = ends.filter(({ text }) => text.length === 54);
    expect(long.length).toBeGreaterThan(20);
    expect(ends.filter(({ text }) => text.length === 53)).toHaveLength(ends.length - long.length);
  });

  it('was another one before, which chat programs cut off', () => {
    for (const { invite, text } of ends) {
      if (text.length === 53) continue;
      const before = text.slice(0, -1);
      expect(decodeInvite(before)).toEqual(invite);
      // Two signs at most are tried: one invite in 30,000 ended in more.
      if (!/[-_]{3}$/u.test(before)) expect(decodeInvite(before.replace(/[-_]+$/u, ''))).toEqual(invite);
    }
  });

  it('takes no time to look for in any text', () => {
    const texts = ['#', '#j o i n ', ' ', 'u ', '#/join/u', 'bafk', 'http://', 'u-'].map((part) =>
      part.repeat(16_000 / part.length),
    );
    const startMs = performance.now();
    for (const text of texts) expectThrows('bad-invite', () => decodeInvite(text));
    expect(performance.now() - startMs).toBeLessThan(1_500);
  });
});

describe('what is missing is said', () => {
  const url = `https://palm-1f2e.local:8443/#/join/${INVITE}`;
  const file = `https://palm-1f2e.local:8443/#/file/${LINK}`;
  const of = (part: string, charCount?: number) => ({
    code: 'bad-invite',
    reason: 'missing',
    part,
    charCount,
  });
  const failureOf = (read: () => unknown): unknown => {
    try {
      return read();
    } catch (error) {
      return isPalmError(error) ? error.failure : error;
    }
  };

  it.each([
    [url.slice(0, -4), of('invite', 4)],
    [`${url.slice(0, -4)}.`, of('invite', 4)],
    [INVITE.slice(0, 9), of('invite', 44)],
    [url.split('u')[0] ?? '', of('invite')],
    ['https://palm-1f2e.local:8443/#/join', of('invite')],
    ['https://palm-1f2e.local:8443/', of('invite')],
    [file, { code: 'bad-invite', reason: 'other-kind', wanted: 'join' }],
    [
      url.replace('4', '5').replace(INVITE.slice(20, 24), 'AAAA'),
      { code: 'bad-invite', reason: 'unreadable' },
    ],
    ['hello', { code: 'bad-invite', reason: 'unreadable' }],
    ['unfortunately', { code: 'bad-invite', reason: 'unreadable' }],
    ['', { code: 'bad-invite', reason: 'unreadable' }],
  ])('of an invite: %s', (text, failure) => {
    expect(failureOf(() => decodeInvite(text))).toEqual(failure);
  });

  it.each([
    [file.slice(0, -1), of('link-key', 1)],
    [file.slice(0, -51), of('link-key', 51)],
    [file.slice(0, -52), of('link-key', 51)],
    [file.slice(0, -60), of('file-id', 8)],
    ['https://palm-1f2e.local:8443/#/file/', of('file-id', 59)],
    ['https://palm-1f2e.local:8443/', of('file-id')],
    [url, { code: 'bad-invite', reason: 'other-kind', wanted: 'file' }],
  ])('of a file link: %s', (text, failure) => {
    expect(failureOf(() => decodeFileLink(text))).toEqual(failure);
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
        const doubled = before + character + character + after;
        for (const broken of [before + other + after, before + after, doubled])
          // The last one doubled is the link, and a character behind it.
          if (broken !== doubled || after !== '') expectThrows('bad-invite', () => decode(broken));
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
    expectThrows('bad-invite', () => decodeInvite(' '.repeat(20_000) + INVITE));
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
    newer[0] = 3;
    let thrown: unknown;
    try {
      decodeInvite(base64url.encode(newer));
    } catch (error) {
      thrown = error;
    }
    expect(isPalmError(thrown) && thrown.failure).toEqual({ code: 'bad-invite', reason: 'newer-version' });
  });
});
