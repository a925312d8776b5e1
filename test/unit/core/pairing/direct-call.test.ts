import { describe, expect, it } from 'vitest';
import { bytesOfHex, hexOf } from '../../../../src/core/model/bytes.ts';
import {
  MAX_DIRECT_CALLS,
  MAX_DIRECT_CALLS_PER_HOST,
  MAX_REMEMBERED_CALLS,
} from '../../../../src/core/model/limits.ts';
import { CallGate } from '../../../../src/core/pairing/call-gate.ts';
import { calledEnd, readCall } from '../../../../src/core/pairing/direct-call.ts';
import vectors from '../../../vectors/direct.json' with { type: 'json' };

const ADDRESS = {
  fingerprint: bytesOfHex(vectors.fingerprint),
  secret: bytesOfHex(vectors.secret),
  addresses: vectors.addresses,
};
const { ufrag, password } = vectors.caller;
const CALLER = { ufrag, password, fingerprint: bytesOfHex(vectors.caller.fingerprint), addresses: [] };

/** A caller with a certificate of its own. */
function caller(number: number): typeof CALLER {
  const fingerprint = new Uint8Array(32);
  new DataView(fingerprint.buffer).setUint32(0, number);
  return { ...CALLER, fingerprint };
}

describe('a call', () => {
  it('has the form of FORMATS.md, and tells both ends the same', () => {
    const called = calledEnd(ADDRESS, CALLER);
    expect(called).toEqual({
      ...vectors.called,
      fingerprint: ADDRESS.fingerprint,
      addresses: ADDRESS.addresses,
    });
    expect(readCall(ADDRESS.secret, called.ufrag, ufrag)).toEqual({ caller: CALLER, called: vectors.called });
  });

  it('says the same for the credentials of Firefox, which has longer ones', () => {
    const firefox = { ...CALLER, ufrag: '7c3f1a92', password: '0123456789abcdef'.repeat(2) };
    expect(readCall(ADDRESS.secret, calledEnd(ADDRESS, firefox).ufrag, firefox.ufrag)?.caller).toEqual(
      firefox,
    );
  });

  it('is none with another secret, another caller, or any other letter', () => {
    const called = calledEnd(ADDRESS, CALLER).ufrag;
    expect(readCall(new Uint8Array(16), called, ufrag)).toBeUndefined();
    expect(readCall(ADDRESS.secret, called, `${ufrag.slice(0, -1)}x`)).toBeUndefined();
    for (let at = 0; at < called.length; at++) {
      const other = called.slice(0, at) + (called[at] === 'x' ? 'y' : 'x') + called.slice(at + 1);
      expect(readCall(ADDRESS.secret, other, ufrag), `letter ${at}`).toBeUndefined();
    }
  });

  it.each(['', 'x', 'x'.repeat(64), 'x'.repeat(5_000), `${'='.repeat(64)}${password}`, `\r\na=setup:active`])(
    'is none in %j',
    (text) => {
      expect(readCall(ADDRESS.secret, text, ufrag)).toBeUndefined();
      expect(readCall(ADDRESS.secret, calledEnd(ADDRESS, CALLER).ufrag, text)).toBeUndefined();
    },
  );
});

describe('the gate', () => {
  const knock = (number: number, host = `10.0.0.${number}`) => {
    return { called: calledEnd(ADDRESS, caller(number)).ufrag, caller: ufrag, host };
  };

  it('answers each caller once, also after its call ended: a recorded packet opens nothing', () => {
    const gate = new CallGate(ADDRESS.secret);
    const call = gate.take(knock(1));
    expect(hexOf(call?.caller.fingerprint ?? new Uint8Array(0))).toBe(hexOf(caller(1).fingerprint));
    expect(gate.take(knock(1))).toBeUndefined();
    gate.ended(knock(1).called);
    expect(gate.take(knock(1))).toBeUndefined();
    expect(gate.take({ ...knock(1), host: '10.0.0.9' })).toBeUndefined();
  });

  it('keeps nothing of a flood of made-up names, and lets the next caller in', () => {
    const gate = new CallGate(ADDRESS.secret);
    const forged = { ...ADDRESS, secret: new Uint8Array(16).fill(1) };
    for (let number = 0; number < 2_000; number++) {
      const { ufrag: called } = calledEnd(forged, caller(number));
      expect(gate.take({ called, caller: ufrag, host: '10.0.0.66' })).toBeUndefined();
    }
    expect(gate.take(knock(1))).toBeDefined();
  });

  it('has a bound in all, and for one host, and room again when a call ends', () => {
    const gate = new CallGate(ADDRESS.secret);
    const same = Array.from({ length: 20 }, (_each, index) => knock(index, '10.0.0.66'));
    expect(same.filter((each) => gate.take(each) !== undefined)).toHaveLength(MAX_DIRECT_CALLS_PER_HOST);
    const many = Array.from({ length: 20 }, (_each, index) => knock(100 + index));
    expect(many.filter((each) => gate.take(each) !== undefined)).toHaveLength(
      MAX_DIRECT_CALLS - MAX_DIRECT_CALLS_PER_HOST,
    );
    gate.ended(knock(100).called);
    expect(gate.take(knock(200))).toBeDefined();
    expect(gate.take(knock(201))).toBeUndefined();
  });

  it('remembers a bounded number of calls', () => {
    const gate = new CallGate(ADDRESS.secret);
    for (let number = 0; number <= MAX_REMEMBERED_CALLS; number++) {
      expect(gate.take(knock(number, 'h'))).toBeDefined();
      gate.ended(knock(number, 'h').called);
    }
    expect(gate.take(knock(1, 'h')), 'still remembered').toBeUndefined();
    expect(gate.take(knock(0, 'h')), 'forgotten').toBeDefined();
  });
});
