// The pool's devices: who is here, how much each holds, and the legend of the palm bunches.

import type { DeviceStatus } from '../../runtime/api.ts';
import { AnchorIcon, InviteIcon, PencilIcon, SettingsIcon } from '../parts/icons.tsx';
import { nameSuffixes, shownDeviceName } from '../text/device-name.ts';
import { deviceStateText } from '../text/device-state.ts';
import { words } from '../text/words.ts';
import { useWallMs } from '../state/wall-time.ts';
import type { DeviceLook } from './device-look.ts';
import { DeviceFruit } from './palm-bunch.tsx';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;

interface DevicesSectionProps {
  readonly devices: readonly DeviceStatus[];
  readonly looks: ReadonlyMap<string, DeviceLook>;
  readonly onInvite: () => void;
  readonly onRename: () => void;
  /** Undefined where this device may not change what others may do. */
  readonly onRole: ((device: DeviceStatus) => void) | undefined;
}

export function DevicesSection({ devices, looks, onInvite, onRename, onRole }: DevicesSectionProps) {
  const suffixes = nameSuffixes(devices);
  const hasSeconds = devices.some(countsSeconds);
  const nowMs = useWallMs(hasSeconds ? SECOND_MS : MINUTE_MS);
  return (
    <section class="devices">
      <div class="devices-head">
        <h2 id="devices-heading">{words.devices.heading}</h2>
        <button type="button" class="button" onClick={onInvite}>
          <InviteIcon />
          {words.devices.invite}
        </button>
      </div>
      <ul role="list" aria-labelledby="devices-heading">
        {devices.map((device) => (
          <DeviceRow
            key={device.id}
            device={device}
            suffix={suffixes.get(device.id)}
            look={looks.get(device.id)}
            nowMs={nowMs}
            onRename={onRename}
            onRole={onRole}
          />
        ))}
      </ul>
    </section>
  );
}

/** Whether its words count seconds. */
function countsSeconds({ state, sinceMs }: DeviceStatus): boolean {
  const isCounted = state === 'suspect' || state === 'gone';
  return isCounted && Date.now() - sinceMs < 2 * MINUTE_MS;
}

interface DeviceRowProps {
  readonly device: DeviceStatus;
  /** Tells it apart from a device whose name looks the same. */
  readonly suffix: string | undefined;
  readonly look: DeviceLook | undefined;
  readonly nowMs: number;
  readonly onRename: () => void;
  readonly onRole: ((device: DeviceStatus) => void) | undefined;
}

function DeviceRow({ device, suffix, look, nowMs, onRename, onRole }: DeviceRowProps) {
  const reachable = device.state === 'reachable';
  const nameId = `device-${device.id}`;
  const suffixId = `${nameId}-suffix`;
  const labelledBy = suffix === undefined ? nameId : `${nameId} ${suffixId}`;
  return (
    <li class={`device ${device.self ? 'self' : device.state}`} aria-labelledby={labelledBy}>
      <DeviceFruit look={look} reachable={reachable} />
      <div class="device-words">
        <bdi class="device-name" id={nameId}>
          {shownDeviceName(device.name)}
        </bdi>
        <span class="meta">
          {suffix === undefined ? null : <span id={suffixId}>{suffix}</span>}{' '}
          <span>{deviceStateText(device, nowMs)}</span> <span>{words.units.bytes(device.heldBytes)}</span>{' '}
          {device.via === 'relay' ? <span>{words.devices.throughRelay}</span> : null}{' '}
          {device.role === undefined ? null : <span>{words.roles.names[device.role]}</span>}{' '}
          {device.evictable === true ? <span class="tag">{words.devices.evictable}</span> : null}{' '}
          {device.anchor === true ? (
            <span class="tag">
              <AnchorIcon />
              {words.placement.anchor}
            </span>
          ) : null}
        </span>
      </div>
      {device.self ? (
        <button
          type="button"
          class="button icon-only quiet"
          aria-label={words.devices.rename}
          onClick={onRename}
        >
          <PencilIcon />
        </button>
      ) : null}
      {device.self || onRole === undefined ? null : (
        <button
          type="button"
          class="button icon-only quiet"
          aria-label={words.roles.manage(shownDeviceName(device.name))}
          onClick={() => onRole(device)}
        >
          <SettingsIcon />
        </button>
      )}
    </li>
  );
}
