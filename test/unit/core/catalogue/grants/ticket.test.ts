// Tickets and invites that end: golden vectors of an independent implementation, what a cut or changed one
// is, and that no signature fits anybody else's admission.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { webCryptography } from '../../../../../src/adapters/portable/webcrypto.ts';
import {
  applicationBytes,
  checkAdmit,
  checkTicket,
  type Application,
} from '../../../../../src/core/catalogue/grants/ticket.ts';
import { hexOf } from '../../../../../src/core/model/bytes.ts';
import { isPalmError } from '../../../../../src/core/model/errors.ts';
import { deviceIdOf, parseDeviceId, parseEntryId } from '../../../../../src/core/model/ids.ts';
import { doorOf, waitingKeyOf } from '../../../../../src/core/model/invite-door.ts';
import { encodeTicketInvite, readJoinLink } from '../../../../../src/core/model/invite.ts';
import { INVITED_ROLES } from '../../../../../src/core/model/role.ts';
import { decodeTicket, encodeTicketBody, MAX_TICKET_BYTES } from '../../../../../src/core/model/ticket.ts';
import vectors from '../../../../vectors/invite.json' with { type: 'json' };
import { bytesOfHex } from '../../../../fixtures/erasure-oracle.ts';
import { expectOnly } from '../../../../fixtures/pool-fixture.ts';

type Vector = (typeof vectors.tickets)[number];

function invitedBy(vector: Vector): ReturnType<typeof ticketOf> {
  return ticketOf(vector.text);
}

function ticketOf(text: string) {
  const link = readJoinLink(text);
  if (link.kind !== 'ticket') throw new Error('a link without a ticket');
  return link.invite;
}

function applicationOf({ ticket, admission }: Vector): Application {
  const { key, exchange, proof, consent } = admission;
  return {
    ticket: bytesOfHex(ticket),
    key: bytesOfHex(key),
    exchange: bytesOfHex(exchange),
    proof: bytesOfHex(proof),
    consent: bytesOfHex(consent),
  };
}

const first = vectors.tickets[0] as Vector; // there is one

describe('golden vectors', () => {
  it.each(vectors.tickets)('$role, $uses', async (vector) => {
    const { ticket, seed } = invitedBy(vector);
    const { role, uses, expiresMs, charter, heads, issuer } = ticket;
    expect({ role, uses, expiresMs, charter, heads, issuer }).toEqual({
      role: vector.role,
      uses: vector.uses,
      expiresMs: vector.expiresMs,
      charter: vector.charter,
      heads: vector.heads,
      issuer: vector.issuer,
    });
    expect([hexOf(ticket.bytes), hexOf(seed)]).toEqual([vector.ticket, vector.seed]);
    expect(hexOf(encodeTicketBody(ticket))).toBe(vector.ticket.slice(0, -128));
    expect(encodeTicketInvite({ ticket, seed })).toBe(vector.text);
    const waiting = waitingKeyOf(seed);
    const { poolId, signalingKey } = doorOf(waiting);
    expect([hexOf(waiting), poolId, hexOf(signalingKey)]).toEqual([
      vector.waiting,
      vector.room,
      vector.signalingKey,
    ]);
  });

  it.each(vectors.tickets)('the admission by a ticket for $uses', async (vector) => {
    const application = applicationOf(vector);
    const admitter = parseDeviceId(vector.admission.admitter);
    const signed = await applicationBytes(application, admitter, webCryptography);
    expect(hexOf(signed)).toBe(vector.admission.signed);
    expect((await checkAdmit(application, admitter, webCryptography))?.issuer).toBe(vector.issuer);
    const signer = await webCryptography.signerOf({
      privateKey: bytesOfHex(vector.seed),
      publicKey: bytesOfHex(vector.inviteKey),
    });
    const proof = await signer.sign(signed);
    expect(hexOf(proof)).toBe(vector.admission.proof);
    expect(await webCryptography.verify(signer.publicKey, signed, proof)).toBe(true);
  });
});

describe('an invite that ends', () => {
  it('never ends in a sign that chat programs cut off', () => {
    for (const { text } of vectors.tickets) expect(text).toMatch(/[A-Za-z0-9]$/u);
  });

  it('is read out of other text, wrapped and quoted', () => {
    for (const { text, seed } of vectors.tickets) {
      const wrapped = text.replaceAll(/.{70}/gu, '$&\n> ');
      expect(hexOf(ticketOf(`Join: https://palm.local:8443/#/join/${wrapped}. Thanks`).seed)).toBe(seed);
    }
  });

  it('says how much of it is missing', () => {
    for (const { text } of vectors.tickets) {
      const failure = failureOf(() => readJoinLink(text.slice(0, 250)));
      const whole = /[-_]e$/u.test(text) ? text.length - 1 : text.length;
      const charCount = whole - 250;
      expect(failure).toEqual({ code: 'bad-invite', reason: 'missing', part: 'invite', charCount });
    }
  });

  it('is refused with any character changed', () => {
    fc.assert(
      fc.property(
        fc.nat(first.text.length - 3),
        fc.constantFrom('A', 'Z', 'a', 'z', '0', '9'),
        (at, letter) => {
          const text = first.text.slice(0, at + 1) + letter + first.text.slice(at + 2);
          if (text !== first.text) expectOnly('bad-invite', () => readJoinLink(text));
          if (text !== first.text) expect(failureOf(() => readJoinLink(text))).toBeDefined();
        },
      ),
    );
  });
});

describe('a ticket', () => {
  it('is read back as it was written', () => {
    const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const id = digest.map((bytes) => entryIdFrom(bytes));
    fc.assert(
      fc.property(
        fc.record({
          role: fc.constantFrom(...INVITED_ROLES),
          uses: fc.integer({ min: 1, max: 1_000 }),
          expiresMs: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
          charter: id,
          inviteKey: digest,
          issuerKey: digest,
          heads: fc.array(id, { minLength: 1, maxLength: 4 }),
        }),
        (body) => {
          const bytes = new Uint8Array([...encodeTicketBody(body), ...new Uint8Array(64)]);
          expect(decodeTicket(bytes)).toMatchObject({ ...body, issuer: deviceIdOf(body.issuerKey) });
        },
      ),
    );
  });

  it('that is cut, lengthened or out of range is refused as a bad message only', () => {
    const bytes = bytesOfHex(first.ticket);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: MAX_TICKET_BYTES + 1 }), fc.nat(bytes.length), (junk, cut) => {
        expectOnly('bad-message', () => decodeTicket(junk));
        expectOnly('bad-message', () => decodeTicket(new Uint8Array([...bytes.slice(0, cut), ...junk])));
      }),
    );
    for (const [at, value] of [
      [0, 1],
      [0, 3],
      [1, 2],
      [3, 0],
      [2, 4],
      [106, 0],
      [106, 5],
    ] as const) {
      const changed = bytes.slice();
      changed[at] = value;
      expect(
        failureOf(() => decodeTicket(changed)),
        `${at}`,
      ).toMatchObject({ code: 'bad-message' });
    }
  });

  it('counts only with the signature of its issuer over all of it', async () => {
    const bytes = bytesOfHex(first.ticket);
    expect(await checkTicket(bytes, webCryptography)).toBeDefined();
    for (const at of [1, 3, 9, 10, 42, 74, 107, bytes.length - 1]) {
      const changed = bytes.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await checkTicket(changed, webCryptography), `byte ${at}`).toBeUndefined();
    }
  });
});

describe('an admission does not count', () => {
  const admitter = parseDeviceId(first.admission.admitter);
  const other = vectors.tickets[1] as Vector; // there is one
  const application = applicationOf(first);

  it.each([
    ['another admitter, to whom it was replayed', application, parseDeviceId(other.admission.admitter)],
    ['the key of another newcomer', { ...application, key: applicationOf(other).key }, admitter],
    ['another exchange key', { ...application, exchange: applicationOf(other).exchange }, admitter],
    ['another ticket', { ...application, ticket: applicationOf(other).ticket }, admitter],
    ['a proof by another key', { ...application, proof: application.consent }, admitter],
    ['a consent by another key', { ...application, consent: application.proof }, admitter],
    ['a ticket that is cut', { ...application, ticket: application.ticket.slice(0, -1) }, admitter],
  ])('for %s', async (_what, changed, by) => {
    expect(await checkAdmit(changed, by, webCryptography)).toBeUndefined();
  });
});

function entryIdFrom(digest: Uint8Array) {
  const bytes = bytesOfHex(first.ticket);
  bytes.set(digest, 10);
  return parseEntryId(decodeTicket(bytes).charter);
}

function failureOf(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    return isPalmError(error) ? error.failure : error;
  }
}
