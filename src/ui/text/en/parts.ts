// English: what several screens have, and the small parts.

export const commonTexts = {
  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  copyMessage: 'Copy message',
  deviceName: 'Device name',
  dismiss: 'Dismiss',
  dismissOf: (file: string) => `Dismiss ${file}`,
  inviteLink: 'Invite link',
  tryAgain: 'Try again',
  tryAgainOf: (file: string) => `Try again: ${file}`,
  undo: 'Undo',
};

export const installTexts = {
  offer: 'Install Palm on this device: then it opens without the relay, too.',
  byHand: 'To have Palm open without the relay, too: tap Share, then Add to Home Screen.',
  install: 'Install',
  later: 'Not now',
};

export const updateTexts = {
  offer: 'A new version of Palm is here.',
  update: 'Update',
};
