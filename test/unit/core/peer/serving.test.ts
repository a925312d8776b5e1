// Requests of this device, and those of others that it serves.

import { describe, expect, it } from 'vitest';
import { parseBlockHash } from '../../../../src/core/model/ids.ts';
import { MAX_OPEN_REQUESTS } from '../../../../src/core/model/limits.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { fileIdAt } from '../../../fixtures/pool-fixture.ts';
import { listener } from '../../../fixtures/peer-net.ts';

describe('requests', () => {
  const hash = parseBlockHash(seededBytes(32, 1));

  it('to a device that is not reachable fail immediately', () => {
    const { device, other } = listener(false);
    const ask = { kind: 'get-block', hash } as const;
    expect(device.input({ kind: 'request', ticket: 4, to: other, ask })).toEqual([
      { kind: 'answer', ticket: 4, result: { kind: 'failed', reason: 'link-closed' } },
    ]);
  });

  it('end with their link', () => {
    const { device, other } = listener();
    device.input({ kind: 'request', ticket: 4, to: other, ask: { kind: 'get-block', hash } });
    expect(device.input({ kind: 'link-down', device: other })).toContainEqual({
      kind: 'answer',
      ticket: 4,
      result: { kind: 'failed', reason: 'link-closed' },
    });
  });

  it('of others are served up to a bound; beyond it the device is busy until one was served', () => {
    const { device, other } = listener();
    for (let id = 1; id <= MAX_OPEN_REQUESTS; id++)
      expect(device.hear(other, { kind: 'get-block', id, hash })).toMatchObject([
        { kind: 'serve', to: other, id },
      ]);
    expect(device.hear(other, { kind: 'get-block', id: 1_000, hash })).toMatchObject([
      { kind: 'send', message: { kind: 'failed', id: 1_000, reason: 'busy' } },
    ]);
    device.input({ kind: 'served', to: other, id: 5 });
    expect(device.hear(other, { kind: 'get-block', id: 1_001, hash })).toMatchObject([
      { kind: 'serve', id: 1_001 },
    ]);
  });

  it('that were cancelled are stopped, and count until then', () => {
    const { device, other } = listener();
    for (let id = 1; id <= MAX_OPEN_REQUESTS; id++) device.hear(other, { kind: 'get-block', id, hash });
    expect(device.hear(other, { kind: 'cancel', id: 7 })).toEqual([
      { kind: 'stop-serving', to: other, id: 7 },
    ]);
    expect(device.hear(other, { kind: 'cancel', id: 999 })).toEqual([]);
    expect(device.hear(other, { kind: 'get-block', id: 100, hash })).toMatchObject([{ kind: 'send' }]);
    device.input({ kind: 'served', to: other, id: 7 });
    expect(device.hear(other, { kind: 'get-block', id: 101, hash })).toMatchObject([{ kind: 'serve' }]);
  });

  it('with a number that is in use close the link', () => {
    const { device, other } = listener();
    device.hear(other, { kind: 'get-block', id: 1, hash });
    expect(device.hear(other, { kind: 'get-block', id: 1, hash })).toMatchObject([{ kind: 'close-link' }]);
  });

  it('of a device that is gone are no longer served', () => {
    const { device, other } = listener();
    device.hear(other, { kind: 'get-index', id: 3, file: fileIdAt(0), fragment: 0 });
    expect(device.input({ kind: 'link-down', device: other })).toContainEqual({
      kind: 'stop-serving',
      to: other,
      id: 3,
    });
  });
});
