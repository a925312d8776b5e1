// What belongs to an invite that ends: for whom the next one is, and those that still let somebody in.

import { useSignal, type Signal } from '@preact/signals';
import type { InviteStatus } from '../../runtime/invite-api.ts';
import { INVITED_ROLES } from '../../core/model/role.ts';
import { Trouble } from '../parts/trouble.tsx';
import { useInvites } from '../state/invites.ts';
import { usePage } from '../state/page.ts';
import { INVITE_TIMES_MS, INVITE_USES, type InviteDraft } from '../state/shown-invite.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

interface OptionsProps {
  readonly draft: Signal<InviteDraft>;
  readonly isBusy: boolean;
  readonly onMake: () => void;
}

/** Another invite than the one that is shown. */
export function InviteOptionsForm({ draft, isBusy, onMake }: OptionsProps) {
  const { role, uses, expiresInMs } = draft.value;
  const set = (change: Partial<InviteDraft>): void => {
    draft.value = { ...draft.value, ...change };
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        if (!isBusy) onMake();
      }}
    >
      <h3>{words.invite.another}</h3>
      <Choice
        label={words.invite.devices}
        values={INVITE_USES}
        value={uses}
        textOf={words.invite.countOf}
        onChoose={(chosen) => set({ uses: chosen })}
      />
      <Choice
        label={words.invite.validFor}
        values={INVITE_TIMES_MS}
        value={expiresInMs}
        textOf={words.invite.timeOf}
        onChoose={(chosen) => set({ expiresInMs: chosen })}
      />
      <Choice
        label={words.invite.as}
        values={INVITED_ROLES}
        value={role}
        textOf={(known) => words.invite.roles[known]}
        onChoose={(chosen) => set({ role: chosen })}
      />
      <p class="hint">{words.invite.whatRoles}</p>
      <button type="submit" class="button" disabled={isBusy}>
        {words.invite.make}
      </button>
    </form>
  );
}

interface ChoiceProps<Value extends string | number> {
  readonly label: string;
  readonly values: readonly Value[];
  readonly value: Value;
  readonly textOf: (value: Value) => string;
  readonly onChoose: (value: Value) => void;
}

function Choice<Value extends string | number>({
  label,
  values,
  value,
  textOf,
  onChoose,
}: ChoiceProps<Value>) {
  return (
    <label class="field">
      {label}
      <select
        value={value}
        onChange={({ currentTarget }) =>
          onChoose(values.find((known) => String(known) === currentTarget.value) ?? value)
        }
      >
        {values.map((known) => (
          <option key={known} value={known}>
            {textOf(known)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Invites that still let somebody in, each with what ends it. */
export function LiveInvites() {
  const { palm } = usePage();
  const trouble = useSignal('');
  const live = useInvites().filter(({ state }) => state === 'live');
  if (live.length === 0) return null;
  const withdraw = async (id: string): Promise<void> => {
    trouble.value = '';
    try {
      await palm.withdrawInvite(id);
    } catch (error) {
      trouble.value = explain(error);
    }
  };
  return (
    <section class="stack">
      <h3>{words.invite.live}</h3>
      <Trouble text={trouble.value} />
      <ul class="live-invites">
        {live.map((invite) => (
          <LiveInvite key={invite.id} invite={invite} onWithdraw={() => void withdraw(invite.id)} />
        ))}
      </ul>
    </section>
  );
}

function LiveInvite({
  invite,
  onWithdraw,
}: {
  readonly invite: InviteStatus;
  readonly onWithdraw: () => void;
}) {
  const text = words.invite.liveInvite(invite, Date.now());
  return (
    <li>
      <span>{text}</span>
      <button type="button" class="button" aria-label={words.invite.withdrawOf(text)} onClick={onWithdraw}>
        {words.invite.withdraw}
      </button>
    </li>
  );
}
