// What the connection doctor tries, and what it may see. Probes are the adapters'; what their facts mean is
// decided in diagnosing.ts.

import type { RelayTrouble } from '../model/relay-trouble.ts';

/** What came of one try. */
export type Tried<Seen> =
  | { readonly kind: 'seen'; readonly seen: Seen }
  | { readonly kind: 'unable' }
  | { readonly kind: 'late' }
  /** `error`: see `errorKind`. */
  | { readonly kind: 'failed'; readonly error: string };

export type PlatformKind = 'android' | 'ios' | 'macos' | 'windows' | 'linux' | 'other';
/** How the relay is called: by this machine's own name, a .local name, an address, or another name. */
export type AddressKind = 'loopback' | 'local-name' | 'ip' | 'name';

/** What is known without trying anything. */
export interface Surroundings {
  readonly host: 'page' | 'node';
  readonly platform: PlatformKind;
  /** Which browser or Node, such as "Firefox 153"; '' when it is none that is known. */
  readonly program: string;
  /** Whether this is a secure context. */
  readonly isSecure: boolean;
  /** Whether the relay is asked over TLS. */
  readonly isEncrypted: boolean;
  readonly address: AddressKind;
}

/** How the relay's plain request was answered. */
export type RelaySeen = Exclude<RelayTrouble, { kind: 'no-socket' | 'closed' }>;
export type SocketSeen = 'pong' | 'refused' | 'closed';
export type EventsSeen = 'opened' | 'refused';
/** 'refused': by the browser, as behind a certificate that it does not trust. 'absent': none is offered. */
export type WorkerSeen = 'controls' | 'registered' | 'refused' | 'absent';
/** Whether the relay answers by its .local name. */
export type NameSeen = 'answers' | 'silent' | 'no-name';

export interface CandidatesSeen {
  /** Addresses of this device, plain ones and those behind an mDNS name. */
  readonly hostCount: number;
  readonly maskedCount: number;
}

export type LoopbackSeen = 'echoed' | 'silent';
export type PermissionSeen = 'granted' | 'denied' | 'prompt';

export interface CameraSeen {
  readonly count: number;
  readonly permission: PermissionSeen | 'unknown';
  /** What came of opening it; absent when it was not opened. `busy`: also any other failure. */
  readonly opened?: 'opened' | 'denied' | 'none' | 'busy';
}

export interface StorageSeen {
  /** Undefined when the platform does not say. */
  readonly isKept: boolean | undefined;
  readonly usedBytes: number;
  /** 0 when it is not known. */
  readonly quotaBytes: number;
  /** Whether a file could be written and read again; undefined where there are no such files. */
  readonly filesWork: boolean | undefined;
}

export interface ClockSeen {
  /** How far the relay's clock is ahead of this device's, ms. */
  readonly aheadMs: number;
  /** The true difference is at most this much away from it, ms. */
  readonly uncertainMs: number;
}

/**
 * All that a platform can try. What it has no probe for cannot be tried there. None opens the camera unasked.
 */
export interface DoctorProbes {
  surroundings(): Surroundings;
  readonly relay?: Probe<RelaySeen>;
  readonly socket?: Probe<SocketSeen>;
  readonly events?: Probe<EventsSeen>;
  readonly worker?: Probe<WorkerSeen>;
  readonly name?: Probe<NameSeen>;
  readonly candidates?: Probe<CandidatesSeen>;
  readonly loopback?: Probe<LoopbackSeen>;
  /** 'absent': the browser has no such permission. */
  readonly localNetwork?: Probe<PermissionSeen | 'absent'>;
  readonly camera?: (signal: AbortSignal, mayOpen: boolean) => Promise<CameraSeen>;
  readonly storage?: Probe<StorageSeen>;
  readonly relayClock?: Probe<ClockSeen>;
  /** Names of interfaces that are up, as those of VPNs are named; without their numbers. */
  readonly vpnInterfaces?: Probe<readonly string[]>;
}

/** Ends what it began when `signal` aborts, at the latest. */
export type Probe<Seen> = (signal: AbortSignal) => Promise<Seen>;

/** The pool's own part, which needs no probe: it links all the time. */
export interface PoolSeen {
  /** Other devices of the pool that are linked now. */
  readonly linkedCount: number;
  /** Of those, the ones whose bytes go through the relay, because there is no direct way. */
  readonly relayedCount: number;
  /** Other devices that it knows of. */
  readonly knownCount: number;
  /** Devices with which attempts failed although both answered each other by way of others. */
  readonly blockedCount: number;
  /** Devices with which an attempt is under way, or failed once. */
  readonly tryingCount: number;
}

export interface DoctorFacts {
  readonly surroundings: Surroundings;
  readonly relay: Tried<RelaySeen>;
  readonly socket: Tried<SocketSeen>;
  readonly events: Tried<EventsSeen>;
  readonly worker: Tried<WorkerSeen>;
  readonly name: Tried<NameSeen>;
  readonly candidates: Tried<CandidatesSeen>;
  readonly loopback: Tried<LoopbackSeen>;
  readonly localNetwork: Tried<PermissionSeen | 'absent'>;
  readonly camera: Tried<CameraSeen>;
  readonly storage: Tried<StorageSeen>;
  readonly relayClock: Tried<ClockSeen>;
  readonly vpnInterfaces: Tried<readonly string[]>;
  /** Undefined in no pool. */
  readonly pool: PoolSeen | undefined;
}

/** Names of DOMExceptions and errors, and the system's codes: nothing that somebody else chose. */
const KNOWN_ERROR = /^(?:[A-Z][A-Za-z]{1,30}Error|E[A-Z0-9]{2,14})$/u;

/** What kind of error it was; never its message, which may quote an address or a secret. */
export function errorKind(error: unknown): string {
  if (!(error instanceof Error)) return '';
  const code = 'code' in error ? String(error.code) : '';
  return [code, error.name].find((name) => KNOWN_ERROR.test(name)) ?? '';
}
