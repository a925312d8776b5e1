// English: how safe a file is, and how the pool is connected. `name`: a device's, as it is shown.

import { countOf } from './units.ts';

export const safetyTexts = {
  survives: (margin: number) =>
    `Survives the loss of any ${margin === 1 ? 'one device' : `${margin} devices`}`,
  onlyHere: 'Only on this device: invite another',
  oneMore: 'Losing one more device could make it unreadable',
  /** `name`: undefined for this device. */
  aloneAddThird: (name: string | undefined) =>
    `Only ${name ?? 'this device'} can open it alone: add a third device`,
  aloneKeep: (name: string) => `Only ${name} can open it alone: keep that device`,
  aloneSpreading: 'Only this device can open it alone: still spreading to the others',
  aloneBringBack: 'Only this device can open it alone: bring another device back',
  aloneAdd: 'Only this device can open it alone: add another device',
  lacksFragments: (count: number) =>
    `Needs ${countOf(count, 'more fragment')}, and no known device has ${count === 1 ? 'it' : 'them'}`,
  /** `isExact`: fewer may do otherwise. */
  needsDevices: (count: number, isExact: boolean) =>
    `Needs ${isExact ? '' : 'up to '}${count} more ${count === 1 ? 'device' : 'devices'} to open`,
};

export const connectionTexts = {
  linked: (count: number) => `Connected to ${countOf(count, 'device')}`,
  linkedWithoutRelay: (count: number) =>
    `Connected to ${countOf(count, 'device')}, working without the relay`,
  noOtherYet: 'No other device yet',
  noneReachable: 'No other device is reachable now',
  lookingForRelay: 'Looking for the relay…',
  relayLost: 'The relay does not answer. Check the Wi-Fi; Palm keeps trying',
};

/** A file's fragments, for those who do not see the picture. */
export const bunchTexts = {
  geometry: (n: number, k: number, reachable: number) =>
    `${countOf(n, 'fragment')}, any ${k} ${k === 1 ? 'opens' : 'open'} the file; ${reachable} reachable.`,
  reachable: (perDevice: string) => `Reachable: ${perDevice}.`,
  away: (perDevice: string) => `Away: ${perDevice}.`,
  missing: (count: number) => `On no known device: ${count}.`,
  leftDevice: 'a device that left',
};
