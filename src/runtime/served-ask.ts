// What a device served to another for a request that has an id.

import type { DeviceId } from '../core/model/ids.ts';
import type { TraceMark } from '../core/wire/trace-mark.ts';

export interface ServedAsk {
  readonly to: DeviceId;
  readonly trace: TraceMark;
  /** Of the answer; 0 where it failed, or was no longer wanted. */
  readonly byteCount: number;
  readonly isWhole: boolean;
  /** From the ask to the answer's last byte handed to the link, ms. */
  readonly ms: number;
}
