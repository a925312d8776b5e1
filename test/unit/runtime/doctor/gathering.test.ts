// One visit of the connection doctor: a probe that fails, hangs or lies spoils no other, and nothing that a
// probe's error says gets into the report.

import { expect, test } from 'vitest';
import type { DoctorProbes, PoolSeen } from '../../../../src/core/doctor/facts.ts';
import { examine } from '../../../../src/runtime/doctor/gathering.ts';
import { inWords } from '../../../../src/runtime/doctor/worded-diagnosis.ts';
import { en } from '../../../../src/ui/text/en.ts';
import { PAGE, POOL } from '../../../fixtures/doctor-facts.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';

const PROBES: DoctorProbes = {
  surroundings: () => PAGE,
  relay: async () => ({ kind: 'passed' }),
  socket: async () => 'pong',
  loopback: async () => 'echoed',
};

const inPool = async (): Promise<PoolSeen> => POOL;

function visit(probes: Partial<DoctorProbes>, clock = new ManualClock(), lookAtPool = inPool) {
  return examine({ clock, probes: { ...PROBES, ...probes }, lookAtPool });
}

function stateOf(found: Awaited<ReturnType<typeof visit>>, subject: string): unknown {
  const finding = found.findings.find(({ what }) => what === subject);
  return finding === undefined ? undefined : [finding.state, finding.reason.kind];
}

test('what a platform has no probe for is not known, and said so', async () => {
  const found = await visit({});
  expect(stateOf(found, 'loopback')).toEqual(['works', 'loopback-works']);
  expect(stateOf(found, 'storage')).toEqual(['untried', 'unable']);
});

test('a probe that throws at once, or later, is told of itself alone', async () => {
  const found = await visit({
    storage: () => {
      throw new TypeError('at once');
    },
    candidates: async () => {
      throw new DOMException('later', 'InvalidStateError');
    },
  });
  expect(stateOf(found, 'storage')).toEqual(['untried', 'failed']);
  expect(stateOf(found, 'candidates')).toEqual(['untried', 'failed']);
  expect(stateOf(found, 'relay')).toEqual(['works', 'relay-answers']);
});

test('a probe that hangs is late, and is told to end', async () => {
  const clock = new ManualClock();
  let isEnded = false;
  const hanging = (signal: AbortSignal): Promise<never> => {
    signal.addEventListener('abort', () => (isEnded = true));
    return new Promise(() => undefined);
  };
  const finding = visit({ loopback: hanging, relay: hanging }, clock);
  await settled();
  clock.advance(9_999);
  await settled();
  expect(isEnded).toBe(false);
  clock.advance(1);
  const found = await finding;
  expect(isEnded).toBe(true);
  expect(stateOf(found, 'loopback')).toEqual(['blocked', 'loopback-fails']);
  expect(stateOf(found, 'relay')).toEqual(['blocked', 'relay-silent']);
});

test('a visit that is given up ends its probes and rejects', async () => {
  const control = new AbortController();
  let isEnded = false;
  const hanging = (signal: AbortSignal): Promise<never> => {
    signal.addEventListener('abort', () => (isEnded = true));
    return new Promise(() => undefined);
  };
  const probes = { ...PROBES, loopback: hanging };
  const visiting = examine(
    { clock: new ManualClock(), probes, lookAtPool: inPool },
    { signal: control.signal },
  );
  const refused = expect(visiting).rejects.toMatchObject({ code: 'cancelled' });
  await settled();
  control.abort();
  await refused;
  expect(isEnded).toBe(true);
});

test('the camera is opened only when asked to', async () => {
  const asked: boolean[] = [];
  const camera = async (_signal: AbortSignal, mayOpen: boolean) => {
    asked.push(mayOpen);
    return { count: 1, permission: 'granted', ...(mayOpen ? { opened: 'opened' as const } : {}) } as const;
  };
  const examined = { clock: new ManualClock(), probes: { ...PROBES, camera }, lookAtPool: inPool };
  expect(stateOf(await examine(examined), 'camera')).toEqual(['untried', 'camera-there']);
  expect(stateOf(await examine(examined, { camera: true }), 'camera')).toEqual(['works', 'camera-works']);
  expect(asked).toEqual([false, true]);
});

test('nothing secret that a probe came across is in the report, or in any sentence', async () => {
  const secrets = [
    'https://palm-a1b2.local:8443/#/join/INVITEINVITE',
    'palm_TOKENTOKENTOKEN',
    'bafyPOOLSECRETPOOLSECRET',
    'holiday in Rome.mp4',
    'AA:BB:CC:DD:EE:FF:00:11',
    '192.168.77.12',
    'Anna’s phone',
  ];
  const quoting = (name: string) => async (): Promise<never> => {
    throw Object.assign(new Error(secrets.join(' ')), { name, code: secrets.join('') });
  };
  // Relays may say anything.
  const talkative = secrets.join(' ');
  for (const relay of [async () => ({ kind: 'other-host', seen: talkative }) as const, quoting(talkative)]) {
    const found = await visit({
      relay,
      socket: quoting('Error'),
      events: quoting(secrets[0] ?? ''),
      worker: quoting(secrets[1] ?? ''),
      candidates: quoting(secrets[2] ?? ''),
      loopback: quoting(secrets[3] ?? ''),
      storage: quoting(secrets[4] ?? ''),
      camera: quoting(secrets[5] ?? ''),
      relayClock: quoting(secrets[6] ?? ''),
      vpnInterfaces: quoting('EACCES'),
    });
    const told = JSON.stringify(inWords(found, en));
    expect(told).toContain('Palm connection report');
    for (const secret of secrets) expect(told).not.toContain(secret);
  }
});

/** Lets what is ready to go on, go on. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
