// Upgrades of other devices that this one's person has not confirmed: whose they are, and a way to follow. In
// an upgraded pool: who has not followed, and the code that is typed there; parts that were upgraded apart.

import { useSignal } from '@preact/signals';
import type { UpgradedStatus, UpgradeStatus } from '../../runtime/trust-api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';
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
  const names = awaits.map(({ id, name }, at) => (
    <span key={id}>
      {at === 0 ? null : ', '}
      <bdi>{shownDeviceName(name)}</bdi>
    </span>
  ));
  return (
    <div class="message" role="status">
      <p>{words.upgrade.awaits(names, awaits.length)}</p>
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
  const code = useSignal('');
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  const follow = async (): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      await palm.followUpgrade(upgrade.id, { code: code.value });
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
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void follow();
        }}
      >
        <div class="field">
          <label for="upgrade-code">{words.upgrade.code}</label>
          <input
            id="upgrade-code"
            autocomplete="off"
            autocapitalize="characters"
            spellcheck={false}
            autofocus
            value={code.value}
            onInput={({ currentTarget }) => (code.value = currentTarget.value)}
          />
        </div>
        <Trouble text={trouble.value} />
        <div class="dialog-actions">
          <button type="button" class="button" disabled={isBusy.value} onClick={onClose}>
            {words.upgrade.notNow}
          </button>
          <button type="submit" class="button primary" disabled={isBusy.value || code.value.trim() === ''}>
            {isBusy.value ? words.upgrade.following : words.upgrade.follow}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
