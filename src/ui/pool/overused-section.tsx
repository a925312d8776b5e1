// On an admin's screen: devices that came in beyond an invite's count, each with what to do about it.

import { useSignal } from '@preact/signals';
import type { InvitedDeviceStatus, OverusedInviteStatus } from '../../runtime/invite-api.ts';
import { ShutOutDialog } from '../dialogs/shut-out-dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

/** Of more, only those beyond are shown: all are among the pool's devices. */
const MAX_SHOWN = 8;

interface OverusedProps {
  readonly onShutOut: (device: InvitedDeviceStatus) => void;
}

export function OverusedSection() {
  const overused = useStatus((status) => status.overused) ?? [];
  const role = useStatus((status) => status.role);
  const leaving = useSignal<InvitedDeviceStatus | undefined>(undefined);
  if (role !== 'admin') return null;
  return (
    <>
      {overused.map((invite) => (
        <Overused key={invite.id} invite={invite} onShutOut={(device) => (leaving.value = device)} />
      ))}
      {leaving.value === undefined ? null : (
        <ShutOutDialog device={leaving.value} onClose={() => (leaving.value = undefined)} />
      )}
    </>
  );
}

function Overused({ invite, onShutOut }: OverusedProps & { readonly invite: OverusedInviteStatus }) {
  const { palm } = usePage();
  const trouble = useSignal('');
  const self = useStatus(({ device }) => device.id);
  const { devices, uses } = invite;
  const shown = devices.length <= MAX_SHOWN ? devices : devices.filter(({ beyond }) => beyond);
  const keep = ({ id, role }: InvitedDeviceStatus): void => {
    palm.grant(id, role).then(
      () => (trouble.value = ''),
      (error: unknown) => (trouble.value = explain(error)),
    );
  };
  return (
    <section class="message warning overused" role="status" aria-label={words.overused.heading}>
      <p>{words.overused.lead(uses, devices.length)}</p>
      <Trouble text={trouble.value} />
      <ul role="list">
        {shown.map((device) => (
          <InvitedRow
            key={device.id}
            device={device}
            isSelf={device.id === self}
            onShutOut={() => onShutOut(device)}
            onKeep={() => keep(device)}
          />
        ))}
      </ul>
    </section>
  );
}

interface InvitedRowProps {
  readonly device: InvitedDeviceStatus;
  readonly isSelf: boolean;
  readonly onShutOut: () => void;
  readonly onKeep: () => void;
}

function InvitedRow({ device, isSelf, onShutOut, onKeep }: InvitedRowProps) {
  const name = shownDeviceName(device.name);
  return (
    <li>
      <div>
        <bdi class="device-name">{name}</bdi>
        <span class="hint">{words.overused.letInBy(shownDeviceName(device.byName), device.atMs)}</span>
      </div>
      <div class="overused-actions">
        {device.beyond ? (
          <button type="button" class="button" aria-label={words.overused.keepOf(name)} onClick={onKeep}>
            {words.overused.keep}
          </button>
        ) : null}
        {isSelf ? null : (
          <button
            type="button"
            class="button danger"
            aria-label={words.overused.shutOutOf(name)}
            onClick={onShutOut}
          >
            {words.roles.shutOut}
          </button>
        )}
      </div>
    </li>
  );
}
