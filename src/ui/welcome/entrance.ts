// Creating and joining on the first screens: one at a time, with a sentence for every refusal.

import { useSignal, type ReadonlySignal, type Signal } from '@preact/signals';
import { explain } from '../text/explain.ts';
import { usePage } from '../state/page.ts';
import { words } from '../text/words.ts';

export interface Entrance {
  readonly busy: ReadonlySignal<'no' | 'creating' | 'joining'>;
  /** Neither rejects; each resolves to whether this device is a member afterwards. */
  create(poolName: string): Promise<boolean>;
  join(invite: string): Promise<boolean>;
}

export function useEntrance(deviceName: Signal<string>): Entrance {
  const { palm, alerts } = usePage();
  const busy = useSignal<'no' | 'creating' | 'joining'>('no');

  const attempt = async (kind: 'creating' | 'joining', action: () => Promise<void>): Promise<boolean> => {
    if (busy.value !== 'no') return false;
    busy.value = kind;
    try {
      await action();
      return true;
    } catch (error) {
      alerts.raise(explain(error));
      return false;
    } finally {
      busy.value = 'no';
    }
  };
  // An emptied field keeps the device's present name.
  const named = (): { deviceName?: string } => {
    const name = deviceName.value.trim();
    return name === '' ? {} : { deviceName: name };
  };

  return {
    busy,
    async create(poolName) {
      const name = poolName.trim();
      if (name === '') {
        alerts.raise(words.messages.poolWithoutName);
        return false;
      }
      return attempt('creating', () => palm.createPool({ name, ...named() }));
    },
    async join(invite) {
      if (invite.trim() === '') {
        alerts.raise(words.messages.noInvite);
        return false;
      }
      return attempt('joining', async () => {
        // The pool's own notice says that nobody has answered yet.
        await palm.join(invite.trim(), named());
      });
    },
  };
}
