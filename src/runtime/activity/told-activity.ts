// Activity with the names of devices and files, as sentences need them.

import type { Catalogue } from '../../core/catalogue/catalogue.ts';
import type { DeviceId, FileId } from '../../core/model/ids.ts';
import type { PolicyParts } from '../../core/model/policy.ts';
import type { QuotedDevice } from '../notice.ts';
import { quotedDevice } from '../quoted-device.ts';
import type { ActivityItem, ActivityList } from './activity-list.ts';

/** `file`: its name; undefined for a private file, '' if nothing is known of it any more. */
export type Activity =
  | { readonly kind: 'device-gone' | 'device-back'; readonly device: QuotedDevice; readonly forMs: number }
  | { readonly kind: 'device-left'; readonly device: QuotedDevice }
  | {
      readonly kind: 'fragments-restored';
      readonly file: string | undefined;
      readonly fileCount: number;
      readonly fragmentCount: number;
      readonly lostWith: readonly QuotedDevice[];
      /** 0 when unknown. */
      readonly forMs: number;
    }
  | {
      readonly kind: 'file-removed';
      readonly file: string | undefined;
      readonly fileCount: number;
      readonly by: QuotedDevice;
    }
  | {
      readonly kind: 'policy-changed';
      readonly by: QuotedDevice;
      readonly isSelf: boolean;
      readonly parts: PolicyParts;
    };

/** An item of the list, before it has words. */
export interface ListedActivity {
  readonly id: number;
  readonly atMs: number;
  readonly activity: Activity;
}

/** Names the items. The same result while neither the list nor the catalogue changes. */
export class ToldActivity {
  readonly #list: ActivityList;
  readonly #catalogue: Catalogue;
  readonly #self: DeviceId;
  #known: { readonly key: string; readonly told: readonly ListedActivity[] } | undefined;

  constructor(list: ActivityList, catalogue: Catalogue, self: DeviceId) {
    this.#list = list;
    this.#catalogue = catalogue;
    this.#self = self;
  }

  told(): readonly ListedActivity[] {
    const key = `${this.#list.revision} ${this.#catalogue.digest()}`;
    if (this.#known?.key === key) return this.#known.told;
    const quoted = new Map<DeviceId, QuotedDevice>();
    const nameOf = (device: DeviceId): QuotedDevice => {
      const named = quoted.get(device) ?? quotedDevice(this.#catalogue, device);
      quoted.set(device, named);
      return named;
    };
    const told = this.#list.items.map((item) => ({
      id: item.id,
      atMs: item.atMs,
      activity: this.#named(item, nameOf),
    }));
    this.#known = { key, told };
    return told;
  }

  #named({ happening, atMs }: ActivityItem, nameOf: (device: DeviceId) => QuotedDevice): Activity {
    switch (happening.kind) {
      case 'device-gone': {
        const { kind, device, awaySinceMs } = happening;
        return { kind, device: nameOf(device), forMs: Math.max(0, atMs - awaySinceMs) };
      }
      case 'device-back':
        return { kind: happening.kind, device: nameOf(happening.device), forMs: happening.awayForMs };
      case 'device-left':
        return { kind: happening.kind, device: nameOf(happening.device) };
      case 'fragments-restored': {
        const { kind, file, fileCount, fragmentCount, lostWith, awayForMs } = happening;
        const devices = lostWith.map(nameOf);
        const name = this.#fileName(file);
        return { kind, file: name, fileCount, fragmentCount, lostWith: devices, forMs: awayForMs };
      }
      case 'file-removed': {
        const { kind, file, fileCount, by } = happening;
        return { kind, file: this.#fileName(file), fileCount, by: nameOf(by) };
      }
      case 'policy-changed': {
        const { kind, by, parts } = happening;
        return { kind, by: nameOf(by), isSelf: by === this.#self, parts };
      }
    }
  }

  #fileName(file: FileId): string | undefined {
    const given = this.#catalogue.nameOf(file);
    return given === undefined ? '' : given.details()?.name;
  }
}
