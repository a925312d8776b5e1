// What another device of the pool may do: changes its role, or shuts it out.

import { useSignal } from '@preact/signals';
import { ROLES, type Role } from '../../core/model/role.ts';
import type { DeviceStatus } from '../../runtime/api.ts';
import { useDialogWork } from '../parts/dialog-work.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { words } from '../text/words.ts';
import { ShutOutDialog } from './shut-out-dialog.tsx';

interface RoleDialogProps {
  readonly device: DeviceStatus;
  readonly onClose: () => void;
}

export function RoleDialog({ device, onClose }: RoleDialogProps) {
  const { palm } = usePage();
  const role = useSignal<Role>(device.role ?? 'member');
  const isSure = useSignal(false);
  const { isBusy, trouble, run } = useDialogWork();
  const save = (): Promise<void> =>
    run(async () => {
      await palm.grant(device.id, role.value);
      onClose();
    });
  if (isSure.value) return <ShutOutDialog device={device} onClose={onClose} />;
  return (
    <Dialog title={words.roles.title(shownDeviceName(device.name))} onClose={onClose}>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <fieldset class="choices">
          <legend>{words.roles.pick}</legend>
          {ROLES.toReversed().map((each) => (
            <label key={each} class="choice">
              <input
                type="radio"
                name="role"
                checked={role.value === each}
                onChange={() => (role.value = each)}
              />
              <span>
                <strong>{words.roles.names[each]}</strong>
                <span class="hint">{words.roles.may[each]}</span>
              </span>
            </label>
          ))}
        </fieldset>
        <Trouble text={trouble.value} />
        <div class="dialog-actions">
          <button type="button" class="button danger" onClick={() => (isSure.value = true)}>
            {words.roles.shutOut}
          </button>
          <button type="submit" class="button primary" disabled={isBusy.value || role.value === device.role}>
            {isBusy.value ? words.roles.saving : words.roles.save}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
