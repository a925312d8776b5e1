// Additional fixtures for the tests of stolen profiles: devices whose profile is a folder.

import { test as base } from './palm-fixture.ts';
import { ProfileDevice } from './profile-device.ts';

export { expect } from '@playwright/test';

interface Fixtures {
  /** A device with a profile folder, with the app of the shared relay or of `appUrl`. */
  readonly newVictim: (name: string, appUrl?: string) => Promise<ProfileDevice>;
}

export const test = base.extend<Fixtures>({
  newVictim: async ({ relay, faults }, use) => {
    const victims: ProfileDevice[] = [];
    await use(async (name, appUrl = relay.app) => {
      const victim = await ProfileDevice.launch(name, appUrl, faults);
      victims.push(victim);
      return victim;
    });
    for (const victim of victims) await victim.remove();
  },
});
