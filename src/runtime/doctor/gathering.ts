// One visit of the connection doctor: every probe is tried at once, each with its own time, and an error of
// one is a fact about it and ends no other.

import { diagnose } from '../../core/doctor/diagnosing.ts';
import {
  errorKind,
  type DoctorFacts,
  type DoctorProbes,
  type PoolSeen,
  type Probe,
  type Surroundings,
  type Tried,
} from '../../core/doctor/facts.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { Finding } from '../../core/model/finding.ts';
import type { Clock } from '../../core/ports.ts';
import { unlessAborted } from '../unless-aborted.ts';
import type { DiagnoseOptions } from '../doctor-api.ts';

/** Ample for an answer on any LAN, and for a data channel on a slow phone, ms. */
const PROBE_WITHIN_MS = 10_000;
/** A person may have to find and answer the browser's question first, ms. */
const CAMERA_WITHIN_MS = 60_000;

/** What was found, before it has words. */
export interface WordlessDiagnosis {
  readonly atMs: number;
  readonly surroundings: Surroundings;
  readonly findings: readonly Finding[];
}

/** Of the page that the person looks at. */
export type CameraProbes = Pick<DoctorProbes, 'surroundings' | 'camera'>;

export interface Examined {
  readonly clock: Clock;
  readonly probes: DoctorProbes;
  /** Looks at the pool; undefined in none. */
  readonly lookAtPool: (signal: AbortSignal) => Promise<PoolSeen | undefined>;
}

/** @throws PalmError 'cancelled' once the options' signal aborts. */
export async function examine(examined: Examined, options: DiagnoseOptions = {}): Promise<WordlessDiagnosis> {
  const { camera = false, signal } = options;
  if (signal?.aborted === true) throw new PalmError({ code: 'cancelled', reason: 'transfer' });
  const facts = await unlessAborted(gather(examined, camera, signal), signal);
  return { atMs: examined.clock.wallMs(), surroundings: facts.surroundings, findings: diagnose(facts) };
}

/** What comes of opening the camera, as a finding; undefined where there can be none. */
export async function examineCamera(
  clock: Clock,
  { surroundings, camera }: CameraProbes,
  signal: AbortSignal | undefined,
): Promise<Finding | undefined> {
  const probes = { surroundings, ...(camera === undefined ? {} : { camera }) };
  const options = { camera: true, ...(signal === undefined ? {} : { signal }) };
  const { findings } = await examine({ clock, probes, lookAtPool: lookAtNone }, options);
  return findings.find(({ what }) => what === 'camera');
}

async function lookAtNone(): Promise<undefined> {
  return undefined;
}

async function gather(
  { clock, probes, lookAtPool }: Examined,
  mayOpenCamera: boolean,
  signal: AbortSignal | undefined,
): Promise<DoctorFacts> {
  const tried = <Seen>(probe: Probe<Seen> | undefined, withinMs = PROBE_WITHIN_MS): Promise<Tried<Seen>> =>
    tryOnce(clock, probe, withinMs, signal);
  const { camera: look } = probes;
  const camera: Probe<Awaited<ReturnType<NonNullable<typeof look>>>> | undefined =
    look === undefined ? undefined : (ending) => look(ending, mayOpenCamera);
  const [
    relay,
    socket,
    events,
    worker,
    name,
    candidates,
    loopback,
    localNetwork,
    cameraSeen,
    storage,
    relayClock,
    vpnInterfaces,
    pool,
  ] = await Promise.all([
    tried(probes.relay),
    tried(probes.socket),
    tried(probes.events),
    tried(probes.worker),
    tried(probes.name),
    tried(probes.candidates),
    tried(probes.loopback),
    tried(probes.localNetwork),
    tried(camera, mayOpenCamera ? CAMERA_WITHIN_MS : PROBE_WITHIN_MS),
    tried(probes.storage),
    tried(probes.relayClock),
    tried(probes.vpnInterfaces),
    lookAtPool(signal ?? new AbortController().signal),
  ]);
  return {
    surroundings: probes.surroundings(),
    relay,
    socket,
    events,
    worker,
    name,
    candidates,
    loopback,
    localNetwork,
    camera: cameraSeen,
    storage,
    relayClock,
    vpnInterfaces,
    pool,
  };
}

/** Never rejects. The probe is told to end when its time is over. */
async function tryOnce<Seen>(
  clock: Clock,
  probe: Probe<Seen> | undefined,
  withinMs: number,
  signal: AbortSignal | undefined,
): Promise<Tried<Seen>> {
  if (probe === undefined) return { kind: 'unable' };
  const ending = new AbortController();
  const end = (): void => ending.abort();
  signal?.addEventListener('abort', end, { once: true });
  let stopTimer: (() => void) | undefined;
  const late = new Promise<Tried<Seen>>((resolve) => {
    stopTimer = clock.after(withinMs, () => resolve({ kind: 'late' }));
  });
  try {
    const seen = Promise.resolve(ending.signal).then(probe);
    const told = seen.then(
      (value): Tried<Seen> => ({ kind: 'seen', seen: value }),
      (error: unknown): Tried<Seen> => ({ kind: 'failed', error: errorKind(error) }),
    );
    return await Promise.race([told, late]);
  } finally {
    stopTimer?.();
    signal?.removeEventListener('abort', end);
    end();
  }
}
