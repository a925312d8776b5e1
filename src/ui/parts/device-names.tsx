// Names of devices in a sentence, each in its own direction of writing.

import { shownDeviceName } from '../text/device-name.ts';

interface DeviceNamesProps {
  readonly of: readonly { readonly id: string; readonly name: string }[];
}

export function DeviceNames({ of }: DeviceNamesProps) {
  return (
    <>
      {of.map(({ id, name }, at) => (
        <span key={id}>
          {at === 0 ? null : ', '}
          <bdi>{shownDeviceName(name)}</bdi>
        </span>
      ))}
    </>
  );
}
