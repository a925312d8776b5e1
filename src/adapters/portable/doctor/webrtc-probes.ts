// What WebRTC can do here: which addresses it offers, and whether a data channel opens between two ends of
// this very device. No server is asked for anything.

import type { CandidatesSeen, LoopbackSeen } from '../../../core/doctor/facts.ts';

type WebRtc = Pick<typeof globalThis, 'RTCPeerConnection'>;

/** Local addresses are there at once, or never; an engine that waits for more is not awaited, ms. */
const GATHER_WITHIN_MS = 4_000;
/** Node's connections say that all are there a moment before they hand them out, ms. */
const AFTER_COMPLETE_MS = 250;
/** So many connections in a row do not end by themselves. */
const MAX_LOOPBACKS = 4;
/** The type of a candidate, and its address before that (RFC 8839, section 5.1). */
const HOST_CANDIDATE = /^(?:a=)?candidate:\S+ \d+ \S+ \d+ (?<address>\S+) \d+ typ host/iu;

/** @throws what the platform throws where it has no connections. */
export async function gatherCandidates(signal: AbortSignal, wrtc: WebRtc): Promise<CandidatesSeen> {
  const connection = new wrtc.RTCPeerConnection({ iceServers: [] });
  const addresses = new Set<string>();
  try {
    connection.createDataChannel('palm-doctor');
    const gathered = new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, GATHER_WITHIN_MS);
      signal.addEventListener('abort', () => resolve());
      connection.addEventListener('icecandidate', ({ candidate }) => {
        const address = HOST_CANDIDATE.exec(candidate?.candidate ?? '')?.groups?.['address'];
        if (address !== undefined) addresses.add(address);
        if (candidate !== null) return;
        clearTimeout(timer);
        resolve();
      });
      connection.addEventListener('icegatheringstatechange', () => {
        if (connection.iceGatheringState === 'complete') setTimeout(resolve, AFTER_COMPLETE_MS);
      });
    });
    await connection.setLocalDescription(await connection.createOffer());
    await gathered;
  } finally {
    connection.close();
  }
  const masked = [...addresses].filter((address) => address.endsWith('.local'));
  return { hostCount: addresses.size, maskedCount: masked.length };
}

/**
 * Tries again where a connection ends by itself: one in a hundred of Node's does, as it is set up, when many
 * are, and that says nothing of what blocks connections here. @throws what the platform throws where it has
 * none.
 */
export async function tryLoopback(signal: AbortSignal, wrtc: WebRtc): Promise<LoopbackSeen> {
  for (let left = MAX_LOOPBACKS; left > 0 && !signal.aborted; left--) {
    const seen = await tryOneLoopback(signal, wrtc);
    if (seen !== 'ended') return seen;
  }
  return 'silent';
}

async function tryOneLoopback(signal: AbortSignal, wrtc: WebRtc): Promise<LoopbackSeen | 'ended'> {
  const [near, far] = [new wrtc.RTCPeerConnection(NO_SERVERS), new wrtc.RTCPeerConnection(NO_SERVERS)];
  try {
    passCandidates(near, far);
    passCandidates(far, near);
    far.addEventListener('datachannel', ({ channel }) => {
      channel.addEventListener('message', ({ data }: MessageEvent<string>) => channel.send(data));
    });
    const channel = near.createDataChannel('palm-doctor');
    const outcome = new Promise<LoopbackSeen | 'ended'>((resolve) => {
      signal.addEventListener('abort', () => resolve('silent'));
      channel.addEventListener('open', () => channel.send(GREETING));
      channel.addEventListener('message', ({ data }: MessageEvent<unknown>) =>
        resolve(data === GREETING ? 'echoed' : 'silent'),
      );
      for (const end of [near, far])
        end.addEventListener('connectionstatechange', () => {
          if (end.connectionState === 'closed') resolve('ended');
        });
    });
    // What is asked of a connection that ended may never be answered.
    return await Promise.race([outcome, describe(near, far).then(() => outcome)]);
  } finally {
    near.close();
    far.close();
  }
}

async function describe(near: RTCPeerConnection, far: RTCPeerConnection): Promise<void> {
  const offer = await near.createOffer();
  await near.setLocalDescription(offer);
  await far.setRemoteDescription(offer);
  const answer = await far.createAnswer();
  await far.setLocalDescription(answer);
  await near.setRemoteDescription(answer);
}

const NO_SERVERS: RTCConfiguration = { iceServers: [] };
const GREETING = 'palm';

/** Those that come before the other end has a description wait for it. */
function passCandidates(from: RTCPeerConnection, to: RTCPeerConnection): void {
  const early: RTCIceCandidate[] = [];
  const add = (candidate: RTCIceCandidate): void => {
    // One that the other end does not take leaves the others.
    to.addIceCandidate(candidate).catch(() => undefined);
  };
  from.addEventListener('icecandidate', ({ candidate }) => {
    if (candidate === null) return;
    if (to.remoteDescription === null) early.push(candidate);
    else add(candidate);
  });
  to.addEventListener('signalingstatechange', () => {
    if (to.remoteDescription !== null) for (const candidate of early.splice(0)) add(candidate);
  });
}
