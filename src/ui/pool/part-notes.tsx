// Parts of the pool that were upgraded apart: what they are, and a way to make them one. Only a first admin
// has the way; the others are told who has.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { NamedDevice, PartStatus } from '../../runtime/trust-api.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

export function PartNotes() {
  const parts = useStatus(({ pool }) => pool?.parts) ?? [];
  return (
    <>
      {parts.map((part) => (
        <PartNote key={part.id} part={part} />
      ))}
    </>
  );
}

function PartNote({ part }: { readonly part: PartStatus }) {
  const { palm } = usePage();
  const isFirst = useStatus(({ pool }) => pool?.recovery?.mayMake) === true;
  const isAsking = useSignal(false);
  const trouble = useSignal('');
  const by = <bdi>{shownDeviceName(part.byName)}</bdi>;
  const withdraw = (): void => {
    trouble.value = '';
    palm.withdrawOffer().catch((error: unknown) => (trouble.value = explain(error)));
  };
  const ask = (
    <button type="button" class="button" onClick={() => (isAsking.value = true)}>
      {part.offer === undefined ? words.twoPools.open : words.twoPools.takeIn}
    </button>
  );
  return (
    <div class={part.isTaken ? 'message' : 'message warning'} role="status">
      <p>
        {noteOf(part, by)}
        {isFirst || part.isTaken || part.isOffered ? null : words.twoPools.whoMay}
      </p>
      {isFirst && !part.isTaken && !part.isOffered ? ask : null}
      {isFirst && part.isOffered ? (
        <button type="button" class="button" onClick={withdraw}>
          {words.twoPools.withdraw}
        </button>
      ) : null}
      <Trouble text={trouble.value} />
      {isAsking.value ? <PartDialog part={part} onClose={() => (isAsking.value = false)} /> : null}
    </div>
  );
}

function noteOf({ isTaken, isOffered, offer, waitsFor }: PartStatus, by: ComponentChildren) {
  if (isTaken) return words.twoPools.taken(by);
  if (waitsFor !== undefined) return words.twoPools.waits(by, <Names of={waitsFor} />);
  if (offer !== undefined) return words.twoPools.asks(by);
  return isOffered ? words.twoPools.offered(by) : words.twoPools.apart(by);
}

function Names({ of }: { readonly of: readonly NamedDevice[] }) {
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

interface PartDialogProps {
  readonly part: PartStatus;
  readonly onClose: () => void;
}

/** Offers this part to the other one, or takes that one in if it offers itself. */
function PartDialog({ part: { id, byName, offer }, onClose }: PartDialogProps) {
  const { palm } = usePage();
  const code = useSignal('');
  const trouble = useSignal('');
  const isBusy = useSignal(false);
  const texts = words.twoPools;
  const by = <bdi>{shownDeviceName(byName)}</bdi>;
  const goOn = async (): Promise<void> => {
    isBusy.value = true;
    trouble.value = '';
    try {
      if (offer === undefined) await palm.offerPart(id, { code: code.value });
      else await palm.takeInPart(id, { code: code.value });
      onClose();
    } catch (error) {
      trouble.value = explain(error);
      isBusy.value = false;
    }
  };
  const [go, going] = offer === undefined ? [texts.offer, texts.offering] : [texts.accept, texts.accepting];
  return (
    <Dialog
      title={offer === undefined ? texts.offerTitle : texts.takeInTitle}
      onClose={onClose}
      insistent={isBusy.value}
    >
      <p>{offer === undefined ? texts.offerLead(by) : texts.takeInLead(by, offer.devices.length)}</p>
      {offer === undefined ? (
        <ul>
          {texts.offerChanges.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      ) : null}
      {offer === undefined || offer.shutsOut.length === 0 ? null : (
        <p>{texts.takeInOut(<Names of={offer.shutsOut} />)}</p>
      )}
      <p class="message warning">{texts.sure}</p>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void goOn();
        }}
      >
        <div class="field">
          <label for="part-code">{texts.code}</label>
          <input
            id="part-code"
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
            {texts.notNow}
          </button>
          <button type="submit" class="button primary" disabled={isBusy.value || code.value.trim() === ''}>
            {isBusy.value ? going : go}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
