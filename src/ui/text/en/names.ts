// English: names for what has none, and the first name of a device. That is at most 64 bytes of UTF-8.

import { UNNAMED_DEVICE } from './notices.ts';

export const nameTexts = {
  app: 'Palm',
  unnamedDevice: UNNAMED_DEVICE,
  unnamedFile: 'Unnamed file',
  privateFile: 'Private file',
  /** Of a kind that is not recognised. */
  thisDevice: 'This device',
  deviceWith: (device: string, browser: string) => `${device} (${browser})`,
  devices: {
    iphone: 'iPhone',
    ipad: 'iPad',
    androidPhone: 'Android phone',
    androidTablet: 'Android tablet',
    chromebook: 'Chromebook',
    mac: 'Mac',
    windows: 'Windows laptop',
    linux: 'Linux laptop',
  },
};
