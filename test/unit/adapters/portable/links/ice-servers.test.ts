// Which servers a connection may ask, and how its way is read from statistics.

import { describe, expect, test } from 'vitest';
import { IceServers } from '../../../../../src/adapters/portable/links/ice-servers.ts';
import { isOwnLoopback, linkPathIn } from '../../../../../src/adapters/portable/links/link-path.ts';
import type { IceOffer } from '../../../../../src/core/wire/relay-protocol.ts';
import { deviceAt } from '../../../../fixtures/pool-fixture.ts';

const DEVICE = deviceAt(1).deviceId;
const OFFER: IceOffer = {
  kind: 'ice',
  port: 8_443,
  turn: { username: '1.a', credential: 'b', lifeMs: 1_000 },
};
const STUN = { urls: 'stun:10.0.0.1:8443' };
const TURN = { urls: 'turn:10.0.0.1:8443?transport=udp', username: '1.a', credential: 'b' };

function clockAt(now = { ms: 0 }): { monotonicMs: () => number } {
  return { monotonicMs: () => now.ms };
}

describe('servers', () => {
  test('are the relay, and nobody before it offers them', () => {
    const ice = new IceServers('wss://10.0.0.1:8443/relay', clockAt());
    expect(ice.for(DEVICE, 1)).toEqual([]);
    ice.offered(OFFER);
    expect(ice.for(DEVICE, 1)).toEqual([STUN, TURN]);
    const named = new IceServers('wss://[fd00::1]:8443/relay', clockAt());
    named.offered({ ...OFFER, turn: null });
    expect(named.for(DEVICE, 1)).toEqual([{ urls: 'stun:[fd00::1]:8443' }]);
  });

  test('carry data in large pools only for devices that were not reached', () => {
    const ice = new IceServers('wss://10.0.0.1:8443/relay', clockAt());
    ice.offered(OFFER);
    expect(ice.for(DEVICE, 9)).toEqual([STUN]);
    ice.failed(DEVICE);
    expect(ice.for(DEVICE, 9)).toEqual([STUN, TURN]);
    ice.found(DEVICE, 'direct');
    expect(ice.for(DEVICE, 9)).toEqual([STUN]);
    ice.found(DEVICE, 'relay');
    expect(ice.for(DEVICE, 9)).toEqual([STUN, TURN]);
  });

  test('are asked with no credential that ended', () => {
    const now = { ms: 500 };
    const ice = new IceServers('wss://10.0.0.1:8443/relay', clockAt(now));
    ice.offered(OFFER);
    now.ms = 1_499;
    expect(ice.for(DEVICE, 1).length).toBe(2);
    now.ms = 1_500;
    expect(ice.for(DEVICE, 1).length).toBe(1);
  });
});

describe('the way of a connection', () => {
  const ends = (local: string, remote: string) => [
    { id: 'l', type: 'local-candidate', candidateType: local },
    { id: 'r', type: 'remote-candidate', candidateType: remote },
  ];
  const pair = { id: 'p', type: 'candidate-pair', localCandidateId: 'l', remoteCandidateId: 'r' };
  const chromium = (local: string, remote: string) => [
    ...ends(local, remote),
    { ...pair, id: 'other', localCandidateId: 'r' },
    pair,
    { id: 't', type: 'transport', selectedCandidatePairId: 'p' },
  ];
  const firefox = (local: string, remote: string) => [...ends(local, remote), { ...pair, selected: true }];
  const reportOf = (stats: readonly { readonly id: string }[]): RTCStatsReport =>
    new Map(stats.map((entry) => [entry.id, entry]));

  test.each([
    ['host', 'srflx', 'direct'],
    ['prflx', 'host', 'direct'],
    ['relay', 'host', 'relay'],
    ['host', 'relay', 'relay'],
  ])('%s to %s is %s', (local, remote, path) => {
    expect(linkPathIn(reportOf(chromium(local, remote)))).toBe(path);
    expect(linkPathIn(reportOf(firefox(local, remote)))).toBe(path);
  });

  test('is not known before a pair is chosen', () => {
    expect(linkPathIn(reportOf([...ends('host', 'host'), pair]))).toBeUndefined();
  });

  test('is never told as one to loopback', () => {
    const before = 'candidate:1 1 udp 1677729535';
    expect(isOwnLoopback(`${before} 127.0.0.1 4000 typ srflx raddr 0.0.0.0 rport 0`)).toBe(true);
    expect(isOwnLoopback(`${before} 10.0.0.2 4000 typ srflx raddr 0.0.0.0 rport 0`)).toBe(false);
    expect(isOwnLoopback(`${before} 127.0.0.1 4000 typ host`)).toBe(false);
  });
});
