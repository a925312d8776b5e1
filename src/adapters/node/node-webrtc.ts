// WebRTC for Node: libdatachannel by the package node-datachannel, in the shape of browsers.

import type { WebRtc } from '../portable/links/webrtc-connection.ts';
import { NoWebRtc } from './no-webrtc.ts';

/** @throws NoWebRtc where the package has no binary for this machine. */
export async function loadWebRtc(): Promise<WebRtc> {
  try {
    const { RTCPeerConnection, ...others } = await import('node-datachannel/polyfill');
    return { ...others, RTCPeerConnection: withPlainDescriptions(RTCPeerConnection) };
  } catch (cause) {
    throw new NoWebRtc(`${process.platform} ${process.arch}`, cause);
  }
}

type Make = (this: RTCPeerConnection) => Promise<RTCSessionDescriptionInit>;

/** What answers direct calls: what browsers do not have, one port for all connections. */
export type DataChannels = Pick<typeof import('node-datachannel'), 'IceUdpMuxListener' | 'PeerConnection'>;

/** @throws as `loadWebRtc`. */
export async function loadDataChannels(): Promise<DataChannels> {
  const dataChannels = await import('node-datachannel');
  // Until it has made a first connection, libjuice writes a line to stderr for each packet that it cannot
  // read, which anybody can send; afterwards such lines go to the library's logger, which is off.
  const first = new dataChannels.PeerConnection('first', { iceServers: [], disableAutoGathering: true });
  first.createDataChannel('none');
  first.close();
  return dataChannels;
}

/** simple-peer writes into the descriptions that a connection makes, which the package does not let it. */
function withPlainDescriptions(Original: typeof RTCPeerConnection): typeof RTCPeerConnection {
  class PeerConnection extends Original {}
  const replace = (name: 'createOffer' | 'createAnswer', original: Make): void => {
    const make: Make = async function make() {
      const { type, sdp } = await original.call(this);
      return { type, ...(sdp === undefined ? {} : { sdp }) };
    };
    Object.defineProperty(PeerConnection.prototype, name, { value: make });
  };
  // oxlint-disable typescript/unbound-method -- called on the connection that they are called on
  replace('createOffer', Original.prototype.createOffer);
  replace('createAnswer', Original.prototype.createAnswer);
  // oxlint-enable typescript/unbound-method
  return PeerConnection;
}
