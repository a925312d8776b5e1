// Upgrades of other devices that this one's person has not confirmed: whose they are, and a way to follow. In
// an upgraded pool: who has not followed, and the code that is typed there; parts that were upgraded apart.

import { useSignal } from '@preact/signals';
import type { UpgradedStatus, UpgradeStatus } from '../../runtime/trust-api.ts';
import { DeviceNames } from '../parts/device-names.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { words } from '../text/words.ts';
import { CharterCodeDialog } from './charter-code-dialog.tsx';
import { PartNotes } from './part-notes.tsx';

export function UpgradeNotes() {
  const upgrades = useStatus(({ pool }) => pool?.upgrades) ?? [];
  const upgraded = useStatus(({ pool }) => pool?.upgraded);
  const asked = useSignal<UpgradeStatus | undefined>(undefined);
  return (
    <>
      {upgraded === undefined || upgraded.awaits.length === 0 ? null : <AwaitedNote upgraded={upgraded} />}
      <PartNotes />
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

function AwaitedNote({ upgraded: { code, awaits } }: { readonly upgraded: UpgradedStatus }) {
  return (
    <div class="message" role="status">
      <p>{words.upgrade.awaits(<DeviceNames of={awaits} />, awaits.length)}</p>
      <p class="recovery-code">{code}</p>
    </div>
  );
}

interface FollowDialogProps {
  readonly upgrade: UpgradeStatus;
  readonly onClose: () => void;
}

function FollowDialog({ upgrade, onClose }: FollowDialogProps) {
  const { palm } = usePage();
  const { confirmTitle, confirmLead, changes, sure, code, notNow, follow, following } = words.upgrade;
  return (
    <CharterCodeDialog
      texts={{ title: confirmTitle, sure, code, notNow, go: follow, going: following }}
      confirm={(typed) => palm.followUpgrade(upgrade.id, { code: typed })}
      onClose={onClose}
    >
      <p>{confirmLead(<bdi>{shownDeviceName(upgrade.byName)}</bdi>)}</p>
      <ul>
        {changes.slice(0, -1).map((change) => (
          <li key={change}>{change}</li>
        ))}
      </ul>
    </CharterCodeDialog>
  );
}
