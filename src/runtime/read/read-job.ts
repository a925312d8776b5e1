// One file, or a range of it, to be read, and what reading it needs.

import type { Manifest } from '../../core/catalogue/manifest.ts';
import type { DeviceId, FileId } from '../../core/model/ids.ts';
import type { TraceMark } from '../../core/wire/trace-mark.ts';
import type { Clock, Memory, SegmentCodec } from '../../core/ports.ts';
import type { Transport } from '../../core/transport-port.ts';
import type { Notice } from '../notice.ts';
import type { PeerDriver } from '../peer/peer-driver.ts';

export interface ReadPorts {
  readonly clock: Clock;
  readonly memory: Memory;
  readonly codec: SegmentCodec;
  readonly driver: PeerDriver;
  readonly transport: Pick<Transport, 'silentForMs' | 'givesNothingForMs' | 'followQueue'>;
  notice(notice: Notice): void;
}

export interface ReadJob {
  readonly fileId: FileId;
  readonly manifest: Manifest;
  /** Kc, 32 bytes. */
  readonly linkKey: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly signal: AbortSignal;
  /** The request that asked for it: whoever serves its blocks is told. */
  readonly trace?: TraceMark | undefined;
  /** The blocks of a segment came, each from the device that it names. */
  readonly arrived?: (blocks: Iterable<ArrivedFrom>) => void;
}

export interface ArrivedFrom {
  readonly device: DeviceId;
  readonly bytes: Uint8Array;
}
