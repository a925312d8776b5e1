// The part of simple-peer 9.11 that Palm uses, for its browser bundle: the package's main entry needs Node's
// globals, and its published types bring Node's with them.

declare module 'simple-peer/simplepeer.min.js' {
  interface SimplePeerOptions {
    readonly initiator: boolean;
    readonly trickle: boolean;
    /** Strings that arrive stay strings instead of becoming bytes. */
    readonly objectMode: boolean;
    readonly channelName: string;
    readonly channelConfig: RTCDataChannelInit;
    readonly config: RTCConfiguration;
    /** In place of the platform's WebRTC. */
    readonly wrtc?: object;
  }

  export default class SimplePeer {
    constructor(options: SimplePeerOptions);
    /** @throws when the peer is destroyed. */
    signal(data: RTCSessionDescriptionInit | { readonly candidate: RTCIceCandidateInit }): void;
    /** Ends it in a microtask, after which 'close' is emitted. */
    destroy(): void;
    on(event: 'signal', listener: (data: unknown) => void): this;
    on(event: 'error', listener: (error: Error) => void): this;
    on(event: 'close', listener: () => void): this;
  }
}
