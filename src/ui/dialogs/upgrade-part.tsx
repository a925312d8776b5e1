// The upgrade of a pool of an earlier Palm, among its settings: what changes, and who stays. Afterwards: its
// code.

import { useSignal } from '@preact/signals';
import { useDialogWork } from '../parts/dialog-work.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { words } from '../text/words.ts';

export function UpgradePart() {
  const { status } = usePage();
  const isOpen = useSignal(false);
  const { pool } = status.value;
  if (pool?.upgraded !== undefined) {
    return (
      <section class="stack" aria-labelledby="upgrade-heading">
        <h3 id="upgrade-heading">{words.upgrade.codeHeading}</h3>
        <p>{words.upgrade.codeWhy}</p>
        <p class="recovery-code">{pool.upgraded.code}</p>
      </section>
    );
  }
  if (pool?.invitesEnd !== false) return null;
  return (
    <section class="stack" aria-labelledby="upgrade-heading">
      <h3 id="upgrade-heading">{words.upgrade.heading}</h3>
      <p>{words.upgrade.why}</p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={() => (isOpen.value = true)}>
          {words.upgrade.open}
        </button>
      </div>
      {isOpen.value ? <UpgradeDialog onClose={() => (isOpen.value = false)} /> : null}
    </section>
  );
}

function UpgradeDialog({ onClose }: { readonly onClose: () => void }) {
  const { palm, status } = usePage();
  const shutOut = useSignal<readonly string[]>([]);
  const others = status.value.devices.filter(({ self }) => !self);
  const { isBusy, trouble, run } = useDialogWork();
  const upgrade = (): Promise<void> =>
    run(async () => {
      await palm.upgrade({ shutOut: shutOut.value });
      onClose();
    });
  return (
    <Dialog title={words.upgrade.title} onClose={onClose} insistent={isBusy.value}>
      <p>{words.upgrade.lead}</p>
      <ul>
        {words.upgrade.changes.map((change) => (
          <li key={change}>{change}</li>
        ))}
      </ul>
      <p class="message warning">{words.upgrade.when}</p>
      {others.length === 0 ? null : (
        <fieldset class="choices" aria-describedby="why-keep">
          <legend>{words.upgrade.keep}</legend>
          {others.map(({ id, name }) => (
            <label key={id} class="choice">
              <input
                type="checkbox"
                checked={!shutOut.value.includes(id)}
                onChange={({ currentTarget }) => {
                  const rest = shutOut.value.filter((each) => each !== id);
                  shutOut.value = currentTarget.checked ? rest : [...rest, id];
                }}
              />
              <bdi>{shownDeviceName(name)}</bdi>
            </label>
          ))}
          <p id="why-keep" class="hint">
            {words.upgrade.whyKeep}
          </p>
        </fieldset>
      )}
      <Trouble text={trouble.value} />
      <div class="dialog-actions">
        <button type="button" class="button" autofocus disabled={isBusy.value} onClick={onClose}>
          {words.upgrade.notNow}
        </button>
        <button type="button" class="button primary" disabled={isBusy.value} onClick={() => void upgrade()}>
          {isBusy.value ? words.upgrade.upgrading : words.upgrade.upgrade}
        </button>
      </div>
    </Dialog>
  );
}
