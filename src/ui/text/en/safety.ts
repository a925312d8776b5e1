// English: how safe a file is, and how the pool is connected. `name`: a device's, as it is shown.

import type { RelayTrouble } from '../../../core/model/relay-trouble.ts';
import { countOf } from './units.ts';

export const safetyTexts = {
  survives: (margin: number) =>
    `Survives the loss of any ${margin === 1 ? 'one device' : `${margin} devices`}`,
  both: (survives: string, opens: string) => `${survives}. ${opens}.`,
  opensNow: 'Opens now',
  /** On every device of the pool, whichever others are awake. */
  opensAnyTime: 'Opens any time',
  /** `isExact`: fewer may do otherwise. */
  opensWhenBack: (count: number, isExact: boolean) =>
    count === 1
      ? 'Opens when one more device is back'
      : `Opens when ${isExact ? '' : 'up to '}${count} more devices are back`,
  onlyHere: 'Only on this device: invite another',
  /** `name`: undefined for this device. */
  evictable: (name: string | undefined) =>
    `Safari deletes the part on ${name ?? 'this device'} after a week without use: add Palm to the Home Screen there, and join from it`,
  evictables: (count: number) =>
    `Safari deletes the parts on ${count} devices after a week without use: add Palm to their Home Screens, and join from there`,
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
  needsGone: (count: number, isExact: boolean) =>
    `Needs ${isExact ? '' : 'up to '}${count} more ${count === 1 ? 'device' : 'devices'} to open, and ${count === 1 ? 'it is' : 'some are'} gone`,
};

export const connectionTexts = {
  linked: (count: number) => `Connected to ${countOf(count, 'device')}`,
  linkedWithoutRelay: (count: number) =>
    `Connected to ${countOf(count, 'device')}, working without the relay`,
  noOtherYet: 'No other device yet',
  noneReachable: 'No other device is reachable now',
  lookingForRelay: 'Looking for the relay…',
  relayLost: 'The relay does not answer. Check the Wi-Fi; Palm keeps trying',
  /** `isSecure`: the page came over https. */
  relayTrouble,
  openRelayPage: 'Open the relay’s page',
};

function relayTrouble(trouble: RelayTrouble, isSecure: boolean): string {
  switch (trouble.kind) {
    case 'offline':
      return 'This device has no network. Turn on its Wi-Fi; Palm keeps trying';
    case 'no-answer':
      return 'Nothing answers at the relay’s address. Check that this device is on the relay’s network, and that its machine is on; Palm keeps trying';
    case 'refused':
      return isSecure
        ? 'The relay was stopped, or it has a new certificate. Start it again; if it runs, open its page and accept the certificate'
        : 'The relay was stopped. Start it again; Palm keeps trying';
    case 'not-palm': {
      const what = trouble.status === 0 ? 'leads elsewhere' : `answers with status ${trouble.status}`;
      return `Something other than the relay is at this address: it ${what}. If this network asks you to sign in, do so; otherwise start the relay again`;
    }
    case 'other-host': {
      const by = trouble.seen === undefined ? 'by another name' : `as ${trouble.seen}`;
      return `A proxy in between asks for the relay ${by}, and the relay refuses. Open the address that the relay printed, or let the proxy keep the Host header`;
    }
    case 'no-socket':
      return 'The relay answers, but a proxy or filter in between stops its WebSocket. Allow WebSockets there, or open the address that the relay printed';
    case 'closed':
      return `The relay closed the connection: ${trouble.reason}`;
    case 'passed':
      return 'The relay answers again; connecting…';
  }
}

/** A file's fragments, for those who do not see the picture. */
export const bunchTexts = {
  geometry: (n: number, k: number, reachable: number) =>
    `${countOf(n, 'fragment')}, any ${k} ${k === 1 ? 'opens' : 'open'} the file; ${reachable} reachable.`,
  reachable: (perDevice: string) => `Reachable: ${perDevice}.`,
  away: (perDevice: string) => `Away: ${perDevice}.`,
  gone: (perDevice: string) => `Gone: ${perDevice}.`,
  missing: (count: number) => `On no known device: ${count}.`,
  leftDevice: 'a device that left',
};
