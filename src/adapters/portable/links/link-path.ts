// How the bytes of a WebRTC connection go, from its statistics (webrtc-stats, section 8: candidate pairs).

import type { LinkPath } from '../../../core/transport-port.ts';

/** Undefined while the platform does not tell. */
export function linkPathIn(report: RTCStatsReport): LinkPath | undefined {
  const stats: ReadonlyMap<string, Readonly<Record<string, unknown>>> = new Map(entriesOf(report));
  const all = [...stats.values()];
  const chosen = all.find(({ type }) => type === 'transport')?.['selectedCandidatePairId'];
  // Firefox names no transport's pair, and marks the pair instead.
  const pair =
    all.find(({ type, selected }) => type === 'candidate-pair' && selected === true) ??
    (typeof chosen === 'string' ? stats.get(chosen) : undefined);
  if (pair === undefined) return undefined;
  const ends = [pair['localCandidateId'], pair['remoteCandidateId']].map((id) => stats.get(String(id)));
  return ends.some((end) => end?.['candidateType'] === 'relay') ? 'relay' : 'direct';
}

function entriesOf(report: RTCStatsReport): [string, Readonly<Record<string, unknown>>][] {
  const entries: [string, Readonly<Record<string, unknown>>][] = [];
  report.forEach((value: Readonly<Record<string, unknown>>, id: string) => entries.push([id, value]));
  return entries;
}

/** Whether a candidate says that this device is on loopback: some engines do, and nobody can use it. */
export function isOwnLoopback(candidate: string): boolean {
  return / (127\.\d+\.\d+\.\d+|::1) \d+ typ srflx/.test(candidate);
}
