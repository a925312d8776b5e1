// English: what several screens have, and the small parts.

export const commonTexts = {
  cancel: 'Cancel',
  close: 'Close',
  copy: 'Copy',
  deviceName: 'Device name',
  dismiss: 'Dismiss',
  inviteLink: 'Invite link',
  tryAgain: 'Try again',
  undo: 'Undo',
};

export const updateTexts = {
  offer: 'A new version of Palm is here.',
  update: 'Update',
};
