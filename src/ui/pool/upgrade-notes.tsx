// Upgrades of other devices that this one's person has not confirmed: whose they are, and a way to follow.

import { useSignal } from '@preact/signals';
import type { UpgradeStatus } from '../../runtime/trust-api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function UpgradeNotes() {
  const upgrades = useStatus(({ pool }) => pool?.upgrades) ?? [];
  const asked = useSignal<UpgradeStatus | undefined>(undefined);
  return (
    <>
      {upgrades.map((upgrade) => {
        const by = <bdi>{shownDeviceName(upgrade.byName)}</bdi>;
        return (
          <div key={upgrade.id} class="message warning" role="status">
            <p>{upgrade.namesThis ? words.upgrade.offered(by) : words.upgrade.offeredElse(by)}</p>
            {upgrade.namesThis ? (
              <button type="button" class="button" onClick={() => (asked.value = upgrade)}>
                {words.upgrade.confirm}
              </button>
            ) : null}
          </div>
        );
      })}
      {asked.value === undefined ? null : (
        <FollowDialog upgrade={asked.value} onClose={() => (asked.value = undefined)} />
      )}
    </>
  );
}

interface FollowDialogProps {
  readonly upgrade: UpgradeStatus;
  readonly onClose: () => void;
}

function FollowDialog({ upgrade, onClose }: FollowDialogProps) {
  const { palm } = usePage();
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  const follow = async (): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      await palm.followUpgrade(upgrade.id);
      onClose();
    } catch (error) {
      trouble.value = explain(error);
      isBusy.value = false;
    }
  };
  return (
    <Dialog title={words.upgrade.confirmTitle} onClose={onClose} insistent={isBusy.value}>
      <p>{words.upgrade.confirmLead(<bdi>{shownDeviceName(upgrade.byName)}</bdi>)}</p>
      <ul>
        {words.upgrade.changes.slice(0, -1).map((change) => (
          <li key={change}>{change}</li>
        ))}
      </ul>
      <p class="message warning">{words.upgrade.sure}</p>
      <Trouble text={trouble.value} />
      <div class="dialog-actions">
        <button type="button" class="button" autofocus disabled={isBusy.value} onClick={onClose}>
          {words.upgrade.notNow}
        </button>
        <button type="button" class="button primary" disabled={isBusy.value} onClick={() => void follow()}>
          {isBusy.value ? words.upgrade.following : words.upgrade.follow}
        </button>
      </div>
    </Dialog>
  );
}
