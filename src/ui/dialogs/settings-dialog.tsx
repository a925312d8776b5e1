// The pool's settings, which hold for all of its devices: how long a device may be away, what repairs may
// take of the network, and what each device may store.

import { useSignal, type Signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { DEVICE_CLASSES, type DeviceClass } from '../../core/model/device-class.ts';
import { PLACEMENTS, QUOTA_PARTS } from '../../core/model/policy.ts';
import { Dialog } from '../parts/dialog.tsx';
import { KeysPart } from './keys-part.tsx';
import { RecoveryPart } from './recovery-part.tsx';
import { UpgradePart } from './upgrade-part.tsx';
import { Trouble } from '../parts/trouble.tsx';
import {
  checkDraft,
  draftOf,
  TIME_UNITS,
  type SettingsDraft,
  type SettingsField,
} from '../state/pool-settings.ts';
import { explain } from '../text/explain.ts';
import { usePage, useStatus } from '../state/page.ts';
import { alwaysOnNames } from '../text/always-on-names.ts';
import { words } from '../text/words.ts';

/** Digits, as in 366. */
const MAX_CHARACTERS = 12;

export function SettingsDialog({ onClose }: { readonly onClose: () => void }) {
  const { palm, said, status, isDiagnosing } = usePage();
  const before = useRef(palm.policy()).current;
  const draft = useSignal(draftOf(before));
  const alwaysOn = useStatus(({ devices }) => alwaysOnNames(devices));
  const hasPlacement = alwaysOn !== '' || before.placement === 'anchored';
  const bad = useSignal<readonly SettingsField[]>([]);
  const trouble = useSignal('');
  const form = useRef<HTMLFormElement>(null);
  const save = async (): Promise<void> => {
    const checked = checkDraft(draft.value, before);
    bad.value = checked.kind === 'bad' ? checked.fields : [];
    trouble.value = '';
    if (checked.kind === 'bad') {
      const [field = ''] = checked.fields;
      const input = form.current?.querySelector<HTMLInputElement>(`[name="${field}"]`);
      input?.focus();
      // What is typed next takes its place.
      input?.select();
      return;
    }
    try {
      if (Object.keys(checked.change).length > 0) {
        await palm.setPolicy(checked.change);
        said.value = words.settings.saved;
      }
      onClose();
    } catch (error) {
      trouble.value = explain(error);
    }
  };
  return (
    <Dialog title={words.settings.title} onClose={onClose}>
      <p>{words.settings.lead}</p>
      <form
        ref={form}
        class="stack"
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void save();
        }}
      >
        <Trouble text={trouble.value} />
        <fieldset class="settings" aria-describedby="why-away">
          <legend>{words.settings.away}</legend>
          {DEVICE_CLASSES.map((of) => (
            <GraceField key={of} of={of} draft={draft} isBad={bad.value.includes(of)} />
          ))}
          <p id="why-away" class="hint">
            {words.settings.whyAway}
          </p>
        </fieldset>
        {hasPlacement ? <PlacementField draft={draft} /> : null}
        <NumberField
          name="share"
          label={words.settings.share}
          hint={words.settings.whyShare}
          reason={words.settings.badShare}
          value={draft.value.percent}
          isBad={bad.value.includes('share')}
          onInput={(percent) => (draft.value = { ...draft.value, percent })}
        />
        {QUOTA_PARTS.map((part) => (
          <NumberField
            key={part}
            name={part}
            label={words.settings.quotas[part]}
            hint={words.settings.whyQuotas[part]}
            reason={words.settings.badQuota}
            value={draft.value.quotas[part]}
            isBad={bad.value.includes(part)}
            onInput={(text) =>
              (draft.value = { ...draft.value, quotas: { ...draft.value.quotas, [part]: text } })
            }
          />
        ))}
        {status.value.pool?.invitesEnd === true ? (
          <NumberField
            name="rotate"
            label={words.settings.rotate}
            hint={words.settings.whyRotate}
            reason={words.settings.badRotate}
            value={draft.value.rotate}
            isBad={bad.value.includes('rotate')}
            onInput={(rotate) => (draft.value = { ...draft.value, rotate })}
          />
        ) : null}
        <div class="dialog-actions">
          <button type="submit" class="button primary">
            {words.settings.save}
          </button>
        </div>
      </form>
      <KeysPart />
      <RecoveryPart />
      <UpgradePart />
      <section class="stack" aria-labelledby="connection-doctor">
        <h3 id="connection-doctor">{words.doctor.open}</h3>
        <p class="hint">{words.doctor.lead}</p>
        <div class="dialog-actions">
          <button
            type="button"
            class="button"
            onClick={() => {
              onClose();
              isDiagnosing.value = true;
            }}
          >
            {words.doctor.tryAll}
          </button>
        </div>
      </section>
    </Dialog>
  );
}

interface FieldProps {
  readonly draft: Signal<SettingsDraft>;
  readonly isBad: boolean;
}

/** What of the devices that are always on the pool makes. */
function PlacementField({ draft }: Pick<FieldProps, 'draft'>) {
  const names = useStatus(({ devices }) => alwaysOnNames(devices));
  return (
    <fieldset class="settings" aria-describedby="why-placement">
      <legend>{words.placement.setting}</legend>
      {PLACEMENTS.map((placement) => (
        <label key={placement} class="choice">
          <input
            type="radio"
            name="placement"
            value={placement}
            checked={draft.value.placement === placement}
            onChange={() => (draft.value = { ...draft.value, placement })}
          />
          <span>{words.placement[placement]}</span>
        </label>
      ))}
      <p id="why-placement" class="hint">
        {names === '' ? words.placement.spreadMeans : words.placement.price(names)}
      </p>
    </fieldset>
  );
}

function GraceField({ of, draft, isBad }: FieldProps & { readonly of: DeviceClass }) {
  const { amount, unit } = draft.value.graces[of];
  const label = words.settings.devices[of];
  const id = `grace-${of}`;
  const set = (change: Partial<SettingsDraft['graces'][DeviceClass]>): void => {
    const { graces } = draft.value;
    draft.value = { ...draft.value, graces: { ...graces, [of]: { ...graces[of], ...change } } };
  };
  return (
    <div class="field setting">
      <label for={id}>{label}</label>
      <NumberInput
        id={id}
        name={of}
        value={amount}
        isBad={isBad}
        described={isBad ? `${id}-bad` : ''}
        onInput={(text) => set({ amount: text })}
      />
      <select
        aria-label={words.settings.unitOf(label)}
        value={unit}
        onChange={({ currentTarget }) =>
          set({ unit: TIME_UNITS.find((known) => known === currentTarget.value) ?? unit })
        }
      >
        {TIME_UNITS.map((known) => (
          <option key={known} value={known}>
            {words.settings.units[known]}
          </option>
        ))}
      </select>
      {isBad ? (
        <p id={`${id}-bad`} class="reason" role="alert">
          {words.settings.badGrace(label)}
        </p>
      ) : null}
    </div>
  );
}

interface NumberFieldProps {
  readonly name: SettingsField;
  readonly label: string;
  readonly hint: string;
  readonly reason: string;
  readonly value: string;
  readonly isBad: boolean;
  readonly onInput: (text: string) => void;
}

function NumberField({ name, label, hint, reason, value, isBad, onInput }: NumberFieldProps) {
  const id = `setting-${name}`;
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <NumberInput
        id={id}
        name={name}
        value={value}
        isBad={isBad}
        described={isBad ? `${id}-bad ${id}-why` : `${id}-why`}
        onInput={onInput}
      />
      {isBad ? (
        <p id={`${id}-bad`} class="reason" role="alert">
          {reason}
        </p>
      ) : null}
      <p id={`${id}-why`} class="hint">
        {hint}
      </p>
    </div>
  );
}

interface NumberInputProps {
  readonly id: string;
  readonly name: SettingsField;
  readonly value: string;
  readonly isBad: boolean;
  /** Ids of what says more; '' for nothing. */
  readonly described: string;
  readonly onInput: (text: string) => void;
}

function NumberInput({ id, name, value, isBad, described, onInput }: NumberInputProps) {
  return (
    <input
      id={id}
      name={name}
      type="text"
      inputMode="decimal"
      autocomplete="off"
      maxLength={MAX_CHARACTERS}
      value={value}
      aria-invalid={isBad}
      {...(described === '' ? {} : { 'aria-describedby': described })}
      onInput={({ currentTarget }) => onInput(currentTarget.value)}
    />
  );
}
