// What a LinkTransport is made of.

import type { EnvelopeKeys } from '../../../core/links/envelope.ts';
import type { SignalWires } from '../../../core/pairing/signal-wires.ts';
import type { Clock, Cryptography, Identity, Memory, Random } from '../../../core/ports.ts';
import type { DoorLimits } from '../../../core/transport-port.ts';
import type { Connect, WatchLife } from './connection.ts';
import type { RelaySocketClass } from './relay-client.ts';

export interface LinkTransportOptions extends EnvelopeKeys {
  readonly identity: Identity;
  readonly cryptography: Cryptography;
  readonly random: Random;
  readonly clock: Clock;
  /** Incoming messages are put together in these. */
  readonly memory: Memory;
  /** ws: or wss:, with the path. */
  readonly relayUrl: string;
  /** Default: the platform's. */
  readonly WebSocket?: RelaySocketClass;
  readonly Fallback?: RelaySocketClass;
  readonly connect: Connect;
  /** Whether a link may have a second connection while many bytes wait. Default: no. */
  readonly mayUseSecond?: boolean;
  readonly watchLife: WatchLife;
  /** Default: links with every device of the room. */
  readonly door?: DoorLimits | undefined;
  /** Ways to single devices, while there are some (core/pairing). Default: never. */
  readonly wires?: SignalWires | undefined;
  /** Is told exceptions that are bugs. The transport continues in any case. */
  readonly onBug: (error: unknown) => void;
}
