// How notices name a device. A name is whatever that device calls itself, so it is quoted, and it is never all that is said
// where another device looks the same.

import type { Catalogue } from '../core/catalogue/catalogue.ts';
import { idSuffix, lookOf, quotableName, UNNAMED_DEVICE } from '../core/model/device-label.ts';
import type { DeviceId } from '../core/model/ids.ts';

/** Such as `“Kitchen tablet”`; `“Kitchen tablet” (…k3vwy2)` where another member has that name, or the device has none. */
export function quotedDevice(catalogue: Pick<Catalogue, 'deviceName' | 'members'>, device: DeviceId): string {
  const name = catalogue.deviceName(device);
  const look = lookOf(name);
  const isAmbiguous =
    name === '' ||
    catalogue.members().some((other) => other !== device && lookOf(catalogue.deviceName(other)) === look);
  const quoted = `“${quotableName(name || UNNAMED_DEVICE)}”`;
  return isAmbiguous ? `${quoted} ${idSuffix(device)}` : quoted;
}
