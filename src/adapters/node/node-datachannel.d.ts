// The part of node-datachannel 0.33 that Palm uses: the classes of browsers.

declare module 'node-datachannel/polyfill' {
  export const RTCPeerConnection: typeof globalThis.RTCPeerConnection;
  export const RTCSessionDescription: typeof globalThis.RTCSessionDescription;
  export const RTCIceCandidate: typeof globalThis.RTCIceCandidate;
  export const RTCDataChannel: typeof globalThis.RTCDataChannel;
}
