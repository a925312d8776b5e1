// What acts say of who may what (FORMATS.md, trust).

import type { DeviceId, EntryId } from '../../model/ids.ts';
import type { Role } from '../../model/role.ts';

/** `seen`: the acts that the writer knew and that no other act that it knew had seen. */
export type ActBody = { readonly seen: readonly EntryId[] } & (
  | { readonly kind: 'charter' }
  | {
      readonly kind: 'grant';
      /** The writer's rank. */
      readonly as: number;
      readonly device: DeviceId;
      readonly role: Role;
      readonly rank: number;
    }
  | {
      readonly kind: 'shut-out';
      /** The writer's rank. */
      readonly as: number;
      readonly device: DeviceId;
      /** Acts of the device that count no more, although the writer had seen them. */
      readonly undone: readonly EntryId[];
    }
);
