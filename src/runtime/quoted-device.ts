// How notices name a device. A device chooses its own name, so a name alone never identifies it where another
// device looks the same.

import type { Catalogue } from '../core/catalogue/catalogue.ts';
import { lookOf } from '../core/model/device-label.ts';
import type { DeviceId } from '../core/model/ids.ts';
import type { QuotedDevice } from './notice.ts';

export function quotedDevice(
  catalogue: Pick<Catalogue, 'deviceName' | 'members'>,
  id: DeviceId,
): QuotedDevice {
  const name = catalogue.deviceName(id);
  const look = lookOf(name);
  const isAmbiguous =
    name === '' ||
    catalogue.members().some((other) => other !== id && lookOf(catalogue.deviceName(other)) === look);
  return { id, name, isAmbiguous };
}
