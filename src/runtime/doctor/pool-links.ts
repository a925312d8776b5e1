// What a pool's links say of the network: who is linked, and who answers by way of the relay and cannot be
// linked. Where nobody is linked, all are tried once more, and the doctor waits for how that ends.

import type { DoctorProbes, PoolSeen } from '../../core/doctor/facts.ts';
import type { DeviceId } from '../../core/model/ids.ts';
import type { Clock } from '../../core/ports.ts';
import type { LinkPath, LinkTrial, Transport } from '../../core/transport-port.ts';

/** One attempt may fail for any reason, such as a page that was just closed. */
const BLOCKED_AFTER_COUNT = 2;
/** Devices that gave each other up try again within about this, ms (core/links/link-timing.ts). */
const RECENT_MS = 5 * 60_000;
/** Devices that are awake answer within moments, ms. */
const ANSWER_WITHIN_MS = 2_500;
/** An attempt takes at most ten seconds, ms; a second one is not awaited. */
const ATTEMPTS_WITHIN_MS = 13_000;
const LOOK_EVERY_MS = 250;

export interface LookedAtPool {
  readonly clock: Clock;
  readonly transport: Pick<Transport, 'trials' | 'wake'>;
  /** Other devices that are linked now. */
  linked(): readonly DeviceId[];
  /** Other members, whether linked or not. */
  readonly knownCount: number;
  isRelayed(device: DeviceId): boolean;
}

export async function lookAtLinks(pool: LookedAtPool, signal: AbortSignal): Promise<PoolSeen> {
  if (pool.linked().length === 0) await tryAgain(pool, signal);
  const linked = pool.linked();
  const trials = trialsOf(pool).filter(({ device }) => !linked.includes(device));
  return {
    linkedCount: linked.length,
    relayedCount: linked.filter((device) => pool.isRelayed(device)).length,
    knownCount: pool.knownCount,
    blockedCount: trials.filter(isBlocked).length,
    tryingCount: trials.filter((trial) => !isBlocked(trial)).length,
  };
}

function isBlocked({ failedCount, failedForMs }: LinkTrial): boolean {
  return failedCount >= BLOCKED_AFTER_COUNT && failedForMs < RECENT_MS;
}

/** Waking costs no link here, because there is none. */
async function tryAgain(pool: LookedAtPool, signal: AbortSignal): Promise<void> {
  const { clock, transport } = pool;
  const before = failures(pool);
  transport.wake();
  const begunAtMs = clock.monotonicMs();
  for (;;) {
    const waitedMs = clock.monotonicMs() - begunAtMs;
    const isOver = pool.linked().length > 0 || failures(pool) > before || signal.aborted;
    const isTrying = trialsOf(pool).some((trial) => trial.isTrying);
    if (isOver || waitedMs >= (isTrying ? ATTEMPTS_WITHIN_MS : ANSWER_WITHIN_MS)) return;
    await new Promise<void>((resolve) => {
      clock.after(LOOK_EVERY_MS, resolve);
    });
  }
}

function failures(pool: LookedAtPool): number {
  return trialsOf(pool).reduce((sum, { failedCount }) => sum + failedCount, 0);
}

function trialsOf({ transport }: LookedAtPool): readonly LinkTrial[] {
  return transport.trials?.() ?? [];
}

/** The parts of an open pool that are looked at. */
interface Session {
  readonly transport: Pick<Transport, 'trials' | 'wake'>;
  readonly identity: { readonly deviceId: DeviceId };
  readonly driver: {
    readonly paths: { of(device: DeviceId): LinkPath | undefined };
    readonly peer: {
      readonly catalogue: { members(): readonly DeviceId[] };
      reachableDevices(): Iterable<DeviceId>;
    };
  };
}

/** Undefined in no pool. */
export async function poolSeen(
  session: Session | undefined,
  clock: Clock,
  signal: AbortSignal,
): Promise<PoolSeen | undefined> {
  if (session === undefined) return undefined;
  const { transport, identity } = session;
  const { peer, paths } = session.driver;
  const others = (devices: Iterable<DeviceId>): DeviceId[] =>
    [...devices].filter((device) => device !== identity.deviceId);
  const pool = {
    clock,
    transport,
    linked: () => others(peer.reachableDevices()),
    knownCount: others(peer.catalogue.members()).length,
    isRelayed: (device: DeviceId) => paths.of(device) === 'relay',
  };
  return lookAtLinks(pool, signal);
}

/** Of a device that nothing can be tried on. */
export const NO_PROBES: DoctorProbes = {
  surroundings: () => ({
    host: 'node',
    platform: 'other',
    program: '',
    isSecure: true,
    isEncrypted: false,
    address: 'name',
  }),
};
