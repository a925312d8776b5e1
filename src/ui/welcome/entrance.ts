// Creating and joining, as the first screens do it: one at a time, with every refusal put into words.

import { useSignal, type ReadonlySignal, type Signal } from '@preact/signals';
import { explain } from '../text/explain.ts';
import { usePage } from '../state/page.ts';
import { en } from '../text/en.ts';

export interface Entrance {
  readonly busy: ReadonlySignal<'no' | 'creating' | 'joining'>;
  /** Neither rejects; each answers whether this device is a member afterwards. */
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
  // An emptied field means "whatever this device is called already".
  const named = (): { deviceName?: string } => {
    const name = deviceName.value.trim();
    return name === '' ? {} : { deviceName: name };
  };

  return {
    busy,
    async create(poolName) {
      const name = poolName.trim();
      if (name === '') {
        alerts.raise(en.messages.poolWithoutName);
        return false;
      }
      return attempt('creating', () => palm.createPool({ name, ...named() }));
    },
    async join(invite) {
      if (invite.trim() === '') {
        alerts.raise(en.messages.noInvite);
        return false;
      }
      return attempt('joining', async () => {
        // That nobody has answered yet is said by the pool's own notice.
        await palm.join(invite.trim(), named());
      });
    },
  };
}
