// Parts of the pool that were upgraded apart: what they are, and a way to make them one. Only a first admin
// has the way; the others are told who has.

import { useSignal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import type { PartStatus } from '../../runtime/trust-api.ts';
import { DeviceNames } from '../parts/device-names.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';
import { CharterCodeDialog } from './charter-code-dialog.tsx';

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
  if (waitsFor !== undefined) return words.twoPools.waits(by, <DeviceNames of={waitsFor} />);
  if (offer !== undefined) return words.twoPools.asks(by);
  return isOffered ? words.twoPools.offered(by) : words.twoPools.apart(by);
}

interface PartDialogProps {
  readonly part: PartStatus;
  readonly onClose: () => void;
}

/** Offers this part to the other one, or takes that one in if it offers itself. */
function PartDialog({ part: { id, byName, offer }, onClose }: PartDialogProps) {
  const { palm } = usePage();
  const texts = words.twoPools;
  const by = <bdi>{shownDeviceName(byName)}</bdi>;
  const { sure, code, notNow } = texts;
  if (offer === undefined)
    return (
      <CharterCodeDialog
        texts={{ title: texts.offerTitle, sure, code, notNow, go: texts.offer, going: texts.offering }}
        confirm={(typed) => palm.offerPart(id, { code: typed })}
        onClose={onClose}
      >
        <p>{texts.offerLead(by)}</p>
        <ul>
          {texts.offerChanges.map((change) => (
            <li key={change}>{change}</li>
          ))}
        </ul>
      </CharterCodeDialog>
    );
  return (
    <CharterCodeDialog
      texts={{ title: texts.takeInTitle, sure, code, notNow, go: texts.accept, going: texts.accepting }}
      confirm={(typed) => palm.takeInPart(id, { code: typed })}
      onClose={onClose}
    >
      <p>{texts.takeInLead(by, offer.devices.length)}</p>
      {offer.shutsOut.length === 0 ? null : <p>{texts.takeInOut(<DeviceNames of={offer.shutsOut} />)}</p>}
    </CharterCodeDialog>
  );
}
