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
