// From what was seen to what it means. Pure.
//
// Invariants: one finding for each subject that this platform has, in the order of SUBJECTS. 'works' is said
// only of what was seen to work; what was not seen is 'untried', and says why.

import type { Finding, FindingState, Reason, Subject, WhyUntried } from '../model/finding.ts';
import type { DoctorFacts, Tried } from './facts.ts';

/** Invites and certificates bear clocks that are this far apart, ms (FORMATS.md, invites). */
const FAR_APART_MS = 10 * 60_000;
/** Below this, people see nothing of it, ms. */
const APART_MS = 60_000;
/** Below this a device soon takes nothing more, bytes. */
const LITTLE_SPACE_BYTES = 500_000_000;

type Verdict = readonly [FindingState, Reason];
type Judge = (facts: DoctorFacts) => Verdict | undefined;

/** In a page, all of them; on a Node device, those that have a meaning there. */
export function diagnose(facts: DoctorFacts): Finding[] {
  return JUDGES.flatMap(([what, judge]) => {
    const verdict = judge(facts);
    return verdict === undefined ? [] : [{ what, state: verdict[0], reason: verdict[1] }];
  });
}

const JUDGES: readonly (readonly [Subject, Judge])[] = [
  ['relay', relay],
  ['socket', socket],
  ['trust', trust],
  ['worker', worker],
  ['name', name],
  ['candidates', candidates],
  ['loopback', loopback],
  ['links', links],
  ['vpn', vpn],
  ['local-network', localNetwork],
  ['mac', mac],
  ['camera', camera],
  ['storage', storage],
  ['clock', clock],
];

function relay({ relay: tried, surroundings }: DoctorFacts): Verdict {
  if (tried.kind === 'late') return ['blocked', { kind: 'relay-silent' }];
  if (tried.kind !== 'seen') return untried(tried);
  switch (tried.seen.kind) {
    case 'passed':
      return ['works', { kind: 'relay-answers' }];
    case 'offline':
      return ['blocked', { kind: 'relay-offline' }];
    case 'no-answer':
      return ['blocked', { kind: 'relay-silent' }];
    case 'refused': {
      const mayBeCertificate = surroundings.isEncrypted && surroundings.host === 'page';
      return ['blocked', { kind: 'relay-refused', mayBeCertificate }];
    }
    case 'not-palm':
      return ['blocked', { kind: 'relay-not-palm' }];
    case 'other-host':
      return ['blocked', { kind: 'relay-other-name' }];
  }
}

function socket(facts: DoctorFacts): Verdict {
  const { socket: tried, events } = facts;
  if (tried.kind === 'seen' && tried.seen === 'pong') return ['works', { kind: 'socket-works' }];
  if (!relayAnswers(facts)) return ['untried', { kind: 'needs-relay' }];
  if (events.kind === 'seen' && events.seen === 'opened') return ['limited', { kind: 'socket-by-events' }];
  if (tried.kind === 'seen' && tried.seen === 'closed') return ['blocked', { kind: 'socket-closed' }];
  if (tried.kind === 'seen' || tried.kind === 'late') return ['blocked', { kind: 'socket-refused' }];
  return untried(tried);
}

function trust({ surroundings, worker: tried }: DoctorFacts): Verdict | undefined {
  if (surroundings.host === 'node') return undefined;
  if (surroundings.address === 'loopback' && surroundings.isSecure)
    return ['works', { kind: 'trust-own-machine' }];
  if (!surroundings.isSecure) return ['blocked', { kind: 'trust-insecure' }];
  // Browsers register no worker behind a certificate that was only clicked away.
  if (tried.kind === 'seen' && (tried.seen === 'controls' || tried.seen === 'registered'))
    return ['works', { kind: 'trust-given' }];
  if (tried.kind === 'seen' && tried.seen === 'refused') return ['limited', { kind: 'trust-excepted' }];
  return ['untried', { kind: 'trust-unseen' }];
}

function worker({ surroundings, worker: tried }: DoctorFacts): Verdict | undefined {
  if (surroundings.host === 'node') return undefined;
  if (tried.kind !== 'seen') return untried(tried);
  switch (tried.seen) {
    case 'controls':
      return ['works', { kind: 'worker-controls' }];
    case 'registered':
      return ['limited', { kind: 'worker-next-time' }];
    case 'refused':
      return ['blocked', { kind: 'worker-refused' }];
    case 'absent':
      return ['blocked', { kind: surroundings.isSecure ? 'worker-unsupported' : 'worker-insecure' }];
  }
}

function name(facts: DoctorFacts): Verdict | undefined {
  const { surroundings, name: tried } = facts;
  if (surroundings.host === 'node' && surroundings.address !== 'local-name') return undefined;
  switch (surroundings.address) {
    case 'local-name': {
      // Whoever got an answer at a name has found it.
      if (relayAnswers(facts)) return ['works', { kind: 'name-resolves' }];
      if (tried.kind === 'seen' && tried.seen === 'silent') return ['blocked', { kind: 'name-not-found' }];
      return ['untried', { kind: 'needs-relay' }];
    }
    case 'name':
      return ['works', { kind: 'name-own' }];
    case 'loopback':
      return ['limited', { kind: 'name-own-machine' }];
    case 'ip': {
      const resolves =
        tried.kind === 'seen' && tried.seen !== 'no-name' ? tried.seen === 'answers' : undefined;
      return ['limited', { kind: 'name-address', resolves }];
    }
  }
}

function candidates({ candidates: tried }: DoctorFacts): Verdict {
  if (tried.kind !== 'seen') return untried(tried);
  const { hostCount, maskedCount } = tried.seen;
  if (hostCount === 0) return ['blocked', { kind: 'candidates-none' }];
  if (maskedCount === hostCount) return ['works', { kind: 'candidates-masked', count: hostCount }];
  return ['works', { kind: 'candidates-plain', count: hostCount - maskedCount }];
}

function loopback({ loopback: tried }: DoctorFacts): Verdict {
  if (tried.kind === 'late') return ['blocked', { kind: 'loopback-fails' }];
  if (tried.kind !== 'seen') return untried(tried);
  return tried.seen === 'echoed'
    ? ['works', { kind: 'loopback-works' }]
    : ['blocked', { kind: 'loopback-fails' }];
}

function links(facts: DoctorFacts): Verdict {
  const { pool } = facts;
  if (pool === undefined) return ['untried', { kind: 'links-no-pool' }];
  const { linkedCount: count, relayedCount, blockedCount, tryingCount, knownCount } = pool;
  // What answered at the relay before says nothing of a device that reaches neither now; and a link whose
  // device has no network is only not known to be dead yet.
  if (isOffline(facts) || (count === 0 && !relayAnswers(facts))) return ['untried', { kind: 'needs-relay' }];
  if (!relayAnswers(facts)) return ['works', { kind: 'links-work', count }];
  if (blockedCount > 0 && count > 0) return ['limited', { kind: 'links-some', count, blockedCount }];
  if (blockedCount > 0) return ['blocked', { kind: 'links-isolated', blockedCount }];
  if (relayedCount > 0) return ['limited', { kind: 'links-relayed', count: relayedCount }];
  if (count > 0) return ['works', { kind: 'links-work', count }];
  if (tryingCount > 0) return ['untried', { kind: 'links-trying', count: tryingCount }];
  return ['untried', { kind: knownCount > 0 ? 'links-quiet' : 'links-alone' }];
}

function vpn(facts: DoctorFacts): Verdict {
  const { vpnInterfaces, candidates: tried } = facts;
  if (vpnInterfaces.kind === 'seen') {
    const names = vpnInterfaces.seen;
    return names.length > 0
      ? ['limited', { kind: 'vpn-interface', names }]
      : ['works', { kind: 'vpn-no-interface' }];
  }
  if (tried.kind === 'seen' && tried.seen.hostCount === 0 && !isOffline(facts))
    return ['limited', { kind: 'vpn-suspected' }];
  return ['untried', { kind: 'vpn-unseen' }];
}

function localNetwork({ surroundings, localNetwork: tried }: DoctorFacts): Verdict | undefined {
  if (surroundings.host === 'node') return undefined;
  // Browsers say 'denied' to every page of an insecure address: nobody denied it.
  if (!surroundings.isSecure) return ['untried', { kind: 'unable' }];
  if (tried.kind !== 'seen') return untried(tried);
  switch (tried.seen) {
    case 'granted':
      return ['works', { kind: 'lan-granted' }];
    case 'denied':
      return ['blocked', { kind: 'lan-denied' }];
    case 'prompt':
      return ['untried', { kind: 'lan-would-ask' }];
    case 'absent':
      return ['untried', { kind: 'lan-no-permission' }];
  }
}

/** macOS asks whether a program may find devices on the network; no page is told the answer. */
function mac({ surroundings, pool }: DoctorFacts): Verdict | undefined {
  if (surroundings.platform !== 'macos') return undefined;
  return pool !== undefined && pool.linkedCount > 0
    ? ['works', { kind: 'mac-lets' }]
    : ['untried', { kind: 'mac-unseen' }];
}

function camera({ surroundings, camera: tried }: DoctorFacts): Verdict | undefined {
  if (surroundings.host === 'node') return undefined;
  if (!surroundings.isSecure) return ['blocked', { kind: 'camera-insecure' }];
  if (tried.kind !== 'seen') return untried(tried);
  const { count, permission, opened } = tried.seen;
  if (opened === 'opened') return ['works', { kind: 'camera-works' }];
  if (opened === 'denied' || permission === 'denied') return ['blocked', { kind: 'camera-denied' }];
  // Devices without one do all but scanning.
  if (opened === 'none' || count === 0) return ['limited', { kind: 'camera-none' }];
  if (opened === 'busy') return ['blocked', { kind: 'camera-busy' }];
  return ['untried', { kind: 'camera-there', isAllowed: permission === 'granted' }];
}

function storage({ surroundings, storage: tried }: DoctorFacts): Verdict {
  if (!surroundings.isSecure) return ['blocked', { kind: 'storage-insecure' }];
  if (tried.kind !== 'seen') return untried(tried);
  const { isKept, usedBytes, quotaBytes, filesWork } = tried.seen;
  if (filesWork === false) return ['blocked', { kind: 'storage-unwritable' }];
  const freeBytes = Math.max(0, quotaBytes - usedBytes);
  if (quotaBytes > 0 && freeBytes < LITTLE_SPACE_BYTES)
    return ['limited', { kind: 'storage-little', freeBytes }];
  if (filesWork === undefined) return ['limited', { kind: 'storage-no-files' }];
  if (isKept !== true) return ['limited', { kind: 'storage-evictable', freeBytes }];
  return ['works', { kind: 'storage-kept', freeBytes }];
}

function clock(facts: DoctorFacts): Verdict {
  const { relayClock, surroundings } = facts;
  if (surroundings.address === 'loopback') return ['untried', { kind: 'clock-same-machine' }];
  if (!relayAnswers(facts)) return ['untried', { kind: 'needs-relay' }];
  if (relayClock.kind !== 'seen') return untried(relayClock);
  const { aheadMs, uncertainMs } = relayClock.seen;
  const apartMs = Math.abs(aheadMs);
  // What is said to be apart is so, whatever the measurement was off by.
  if (apartMs - uncertainMs > APART_MS)
    return [apartMs > FAR_APART_MS ? 'blocked' : 'limited', { kind: 'clock-differs', aheadMs }];
  return ['works', { kind: 'clock-agrees', atMostMs: apartMs + uncertainMs }];
}

function isOffline({ relay: tried }: DoctorFacts): boolean {
  return tried.kind === 'seen' && tried.seen.kind === 'offline';
}

function relayAnswers({ relay: tried }: DoctorFacts): boolean {
  return tried.kind === 'seen' && tried.seen.kind === 'passed';
}

function untried(tried: Exclude<Tried<unknown>, { kind: 'seen' }>): Verdict {
  const why: WhyUntried = tried;
  return ['untried', why];
}
