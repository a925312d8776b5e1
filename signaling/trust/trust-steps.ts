// How people tell each system to trust the relay's authority, step by step, with what they will see.

import { phoneQuestion, phoneScreen, windowOf, windowQuestion } from './drawing.ts';
import type { Platform } from './platforms.ts';

/** Path of the authority's certificate. */
export const AUTHORITY_PATH = '/palm-ca.crt';
/** Path of the same as a profile, which Apple's phones and tablets ask for. */
export const PROFILE_PATH = '/palm-ca.mobileconfig';

export interface TrustSteps {
  readonly name: string;
  /** HTML. */
  readonly steps: readonly { readonly text: string; readonly picture: string }[];
  /** HTML: what else is good to know; '' for nothing. */
  readonly note: string;
}

const DOWNLOAD = `Download <a href="${AUTHORITY_PATH}" download>the certificate</a>`;
const FILE = 'palm-ca.crt';

export const TRUST_STEPS: Readonly<Record<Platform, TrustSteps>> = {
  ios: {
    name: 'iPhone and iPad',
    steps: [
      {
        text: `In Safari, download <a href="${PROFILE_PATH}">the profile</a>, and tap <b>Allow</b>.`,
        picture: phoneQuestion('Safari', 'Download a profile?', ['Ignore', 'Allow']),
      },
      {
        text: 'Open the <b>Settings</b> app. Near its top, tap <b>Profile Downloaded</b>, then <b>Install</b>, and enter the passcode.',
        picture: phoneScreen('Settings', [
          { kind: 'chosen', text: 'Profile Downloaded' },
          { kind: 'plain', text: 'Wi-Fi' },
          { kind: 'plain', text: 'Bluetooth' },
        ]),
      },
      {
        text: 'In Settings, go to <b>General</b>, <b>About</b>, and at its end <b>Certificate Trust Settings</b>. Turn on the switch beside “Palm relay on …”.',
        picture: phoneScreen('Certificate Trust Settings', [{ kind: 'switch', text: 'Palm relay' }]),
      },
    ],
    note: 'Both are needed: a profile that is installed is not trusted before the switch is on. Other browsers than Safari cannot install it, and use it all the same afterwards.',
  },
  android: {
    name: 'Android',
    steps: [
      {
        text: `${DOWNLOAD}.`,
        picture: phoneScreen('Downloads', [{ kind: 'chosen', text: FILE }]),
      },
      {
        text: 'Open <b>Settings</b> and search for <b>CA certificate</b>. (It is under Security, Encryption &amp; credentials, Install a certificate.)',
        picture: phoneScreen('Install a certificate', [
          { kind: 'chosen', text: 'CA certificate' },
          { kind: 'plain', text: 'VPN & app user' },
          { kind: 'plain', text: 'Wi-Fi' },
        ]),
      },
      {
        text: `Tap <b>Install anyway</b>, and choose <code>${FILE}</code>.`,
        picture: phoneQuestion('Your data won’t be private', 'Install anyway?', ['Don’t', 'Install anyway']),
      },
    ],
    note: 'Android says that others may read what you send. That is true of authorities in general; this one can only vouch for this machine and for home networks. Firefox on Android does not use it: open Palm in Chrome.',
  },
  windows: {
    name: 'Windows (Chrome, Edge)',
    steps: [
      {
        text: `${DOWNLOAD}, open it, and choose <b>Install Certificate…</b>`,
        picture: windowOf('Certificate', [
          { kind: 'plain', text: 'Issued to: Palm relay' },
          { kind: 'chosen', text: 'Install Certificate…' },
        ]),
      },
      {
        text: 'Keep <b>Current User</b>. Then choose <b>Place all certificates in the following store</b>, <b>Browse…</b>, and <b>Trusted Root Certification Authorities</b>.',
        picture: windowOf('Select Certificate Store', [
          { kind: 'plain', text: 'Personal' },
          { kind: 'chosen', text: 'Trusted Root Certification…' },
          { kind: 'plain', text: 'Enterprise Trust' },
        ]),
      },
      {
        text: 'Choose <b>Next</b>, <b>Finish</b>, and answer the question with <b>Yes</b>.',
        picture: windowQuestion('Security Warning', 'Install this certificate?', ['No', 'Yes']),
      },
    ],
    note: '',
  },
  macos: {
    name: 'Mac (Safari, Chrome)',
    steps: [
      {
        text: `${DOWNLOAD}, and open it. Keychain Access adds it to the keychain “login”.`,
        picture: windowOf('Keychain Access', [
          { kind: 'plain', text: 'login' },
          { kind: 'chosen', text: 'Palm relay' },
        ]),
      },
      {
        text: 'Double-click “Palm relay on …” in the list, open <b>Trust</b>, and choose <b>Always Trust</b> for “When using this certificate”.',
        picture: windowOf('Palm relay', [
          { kind: 'plain', text: 'Trust' },
          { kind: 'chosen', text: 'Always Trust' },
        ]),
      },
      {
        text: 'Close that window, and enter your password.',
        picture: windowQuestion('Keychain Access', 'Change the trust settings?', [
          'Cancel',
          'Update Settings',
        ]),
      },
    ],
    note: '',
  },
  linux: {
    name: 'Linux and ChromeOS (Chrome, Chromium)',
    steps: [
      {
        text: `${DOWNLOAD}.`,
        picture: windowOf('Downloads', [{ kind: 'chosen', text: FILE }]),
      },
      {
        text: 'Open <code>chrome://certificate-manager</code> in a new tab, then <b>Custom</b>, <b>Installed by you</b>, and <b>Import</b> beside “Trusted Certificates”. (Older versions: <code>chrome://settings/certificates</code>, <b>Authorities</b>, <b>Import</b>.)',
        picture: windowOf('Installed by you', [
          { kind: 'plain', text: 'Trusted Certificates' },
          { kind: 'chosen', text: 'Import' },
        ]),
      },
      {
        text: `Choose <code>${FILE}</code>. If you are asked for what, tick <b>identifying websites</b>.`,
        picture: windowOf('Certificate authority', [{ kind: 'ticked', text: 'Identifying websites' }]),
      },
    ],
    note: '',
  },
  firefox: {
    name: 'Firefox on a computer',
    steps: [
      {
        text: `Open <a href="${AUTHORITY_PATH}">the certificate</a>: Firefox asks what to do with it.`,
        picture: windowQuestion('Downloading Certificate', 'Trust a new authority?', ['View', 'OK']),
      },
      {
        text: 'Tick <b>Trust this CA to identify websites</b>. “View” shows its fingerprint. Then <b>OK</b>.',
        picture: windowOf('Downloading Certificate', [
          { kind: 'ticked', text: 'Trust this CA to identify websites' },
        ]),
      },
    ],
    note: '',
  },
};
