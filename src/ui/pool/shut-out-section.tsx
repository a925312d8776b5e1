// Devices that were shut out: on an admin's screen with a way back, on a screen of such a device with what it
// can do.

import { useSignal } from '@preact/signals';
import type { ShutOutStatus } from '../../runtime/trust-api.ts';
import { Trouble } from '../parts/trouble.tsx';
import { usePage, useStatus } from '../state/page.ts';
import { shownDeviceName } from '../text/device-name.ts';
import { explain } from '../text/explain.ts';
import { words } from '../text/words.ts';

/** On the device itself. */
export function ShutOutNote() {
  const own = useStatus(({ shutOut }) => shutOut?.find(({ self }) => self));
  if (own === undefined) return null;
  return (
    <p class="message warning" role="alert">
      {words.roles.outHere(shownDeviceName(own.byName))}
    </p>
  );
}

export function ShutOutSection() {
  const shutOut = useStatus((status) => status.shutOut) ?? [];
  const role = useStatus((status) => status.role);
  const trouble = useSignal('');
  const others = shutOut.filter(({ self }) => !self);
  if (others.length === 0) return null;
  return (
    <section class="devices" aria-labelledby="shut-out-heading">
      <h3 id="shut-out-heading">{words.roles.out}</h3>
      <Trouble text={trouble.value} />
      <ul role="list">
        {others.map((device) => (
          <ShutOutRow
            key={device.id}
            device={device}
            mayLetBackIn={role === 'admin'}
            onTrouble={(text) => (trouble.value = text)}
          />
        ))}
      </ul>
    </section>
  );
}

interface ShutOutRowProps {
  readonly device: ShutOutStatus;
  readonly mayLetBackIn: boolean;
  readonly onTrouble: (text: string) => void;
}

function ShutOutRow({ device, mayLetBackIn, onTrouble }: ShutOutRowProps) {
  const { palm } = usePage();
  const name = shownDeviceName(device.name);
  const letBackIn = (): void => {
    palm.grant(device.id, 'member').then(
      () => onTrouble(''),
      (error: unknown) => onTrouble(explain(error)),
    );
  };
  return (
    <li class="device gone shut-out">
      <div class="device-words">
        <bdi class="device-name">{name}</bdi>
      </div>
      {mayLetBackIn ? (
        <button
          type="button"
          class="button quiet"
          aria-label={words.roles.letBackInOf(name)}
          onClick={letBackIn}
        >
          {words.roles.letBackIn}
        </button>
      ) : null}
    </li>
  );
}
