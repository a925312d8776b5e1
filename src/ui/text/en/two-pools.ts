// English: parts of a pool that were upgraded apart, and become one again.

import type { ComponentChildren } from 'preact';
import type { Failure } from '../../../core/model/failures.ts';

type BadPart = Extract<
  Failure,
  { readonly reason: 'no-part' | 'wrong-part-code' | 'no-offer' | 'part-out' | 'part-too-large' }
>;

export function badPart(failure: BadPart): string {
  switch (failure.reason) {
    case 'no-part':
      return 'This device has met no other part of this pool with that id. Nothing has changed.';
    case 'wrong-part-code':
      return 'This is not the code of that part. Read it once more on the device that upgraded it, in Pool settings. If it shows this code, somebody else used its name: stop here. Nothing has changed.';
    case 'no-offer':
      return 'That part does not offer to be taken in, as far as this device knows. Ask there. Nothing has changed.';
    case 'part-out':
      return 'One of the two devices that upgraded this pool was shut out by the other. Let it back in first, by its role in the list of devices. Nothing has changed.';
    case 'part-too-large':
      return `Parts of more than ${failure.max} devices, or that changed roles or keys very often, cannot be taken in. Nothing has changed.`;
  }
}

const theirs = (by: ComponentChildren): ComponentChildren[] => ['the part that ', by, ' upgraded'];

export const twoPoolsTexts = {
  apart: (by: ComponentChildren): ComponentChildren => [
    by,
    ' upgraded this pool, too, while it could not see this part of it. These are two pools now, and their devices do not link.',
  ],
  /** For who cannot do it. */
  whoMay:
    ' The device that upgraded this part can make them one again: one part takes the other one in, and no file is lost.',
  open: 'Make them one…',
  offered: (by: ComponentChildren): ComponentChildren => [
    'This part offers to be taken in by ',
    ...theirs(by),
    '. It is accepted there, in the same place. Until then nobody here removes files of others.',
  ],
  withdraw: 'Take the offer back',
  asks: (by: ComponentChildren): ComponentChildren => [
    'Take in ',
    ...theirs(by),
    '? It offers that to this pool.',
  ],
  takeIn: 'Take it in…',
  taken: (by: ComponentChildren): ComponentChildren => [
    'This pool took in ',
    ...theirs(by),
    '. Its devices come in by themselves, once they are linked with one of this pool.',
  ],
  waits: (by: ComponentChildren, names: ComponentChildren): ComponentChildren => [
    'This part was taken in by ',
    ...theirs(by),
    ', which gives more than this one to ',
    names,
    '. Ask there to shut them out, or to make them readers, as they are here: then this device comes in by itself.',
  ],
  offerTitle: 'Make two pools one?',
  offerLead: (by: ComponentChildren): ComponentChildren => [
    'This part offers to be taken in by ',
    ...theirs(by),
    '. If it is to be the other way round, start there instead.',
  ],
  offerChanges: [
    'All files stay, with their fragments; what was removed in either part stays removed.',
    'Who was shut out in either part is out.',
    'This device and the other admins of this part become members. Admins there can make them admins again.',
    'Roles, invites and settings of this part end.',
    'Once it is accepted, the devices of this part come in by themselves. At each moment each is in one of the two.',
  ],
  takeInTitle: 'Take this part in?',
  takeInLead: (by: ComponentChildren, count: number): ComponentChildren => [
    by,
    ` offers its part to this pool: ${count === 1 ? 'one device comes in, as a member or reader' : `${count} devices come in, as members or readers`}. Its files are added, and what its admins removed is removed. It cannot be taken back.`,
  ],
  takeInOut: (names: ComponentChildren): ComponentChildren => [
    'They shut out ',
    names,
    ': this pool does, too. You can let them back in.',
  ],
  sure: 'Anybody can give a device that name. So type the code that the device which upgraded the other part shows in Pool settings.',
  code: 'Code of the other part',
  offer: 'Offer',
  offering: 'Offering…',
  accept: 'Take in',
  accepting: 'Taking in…',
  notNow: 'Not now',
};
