// English: nearby pools, asks to join, and the names of the signs that are compared.

import type { AskingEnd } from '../../../core/model/meeting-failures.ts';

/** In the order of the signs (FORMATS.md, nearby pools): words that people can call across a room. */
const SIGN_NAMES = [
  ['Dog', 'Cat', 'Lion', 'Horse', 'Unicorn', 'Pig', 'Elephant', 'Rabbit'],
  ['Panda', 'Rooster', 'Penguin', 'Turtle', 'Fish', 'Octopus', 'Butterfly', 'Flower'],
  ['Tree', 'Cactus', 'Mushroom', 'Globe', 'Moon', 'Cloud', 'Fire', 'Banana'],
  ['Apple', 'Strawberry', 'Corn', 'Pizza', 'Cake', 'Heart', 'Smiley', 'Robot'],
  ['Hat', 'Glasses', 'Spanner', 'Santa', 'Thumbs up', 'Umbrella', 'Hourglass', 'Clock'],
  ['Gift', 'Light bulb', 'Book', 'Pencil', 'Paper clip', 'Scissors', 'Lock', 'Key'],
  ['Hammer', 'Telephone', 'Flag', 'Train', 'Bicycle', 'Aeroplane', 'Rocket', 'Trophy'],
  ['Ball', 'Guitar', 'Trumpet', 'Bell', 'Anchor', 'Headphones', 'Folder', 'Pin'],
].flat();

export const nearbyTexts = {
  heading: 'Nearby pools',
  hint: 'A device of each of these pools shows it to whoever opens Palm here. A name proves nothing: you compare the two screens before you join.',
  ask: 'Ask to join',
  askOf: (pool: string) => `Ask to join ${pool}`,
  signName: (index: number) => SIGN_NAMES[index] ?? '',
  signsLabel: 'The four signs',
  digitsLabel: 'The six digits',
  until: (time: string) => `This works until ${time}.`,
  /** On the screen of the device that asks. */
  asking: {
    title: (pool: string) => `Join “${pool}”`,
    asking: 'Waiting for somebody there',
    askingLead:
      'On the device that shows the pool, open Palm: “Asks to join” names this device. Choose “Compare” there, and keep this page open.',
    comparing: 'Compare the two screens',
    digitsLead: 'Type these six digits on the other device:',
    digitsDone: 'These six digits were typed on the other device:',
    signsLead: 'Now look at the other screen. It shows four signs: choose them here, in the same order.',
    allowed:
      'The other device lets this one in. Choose the four signs that its screen shows, so that you join the right pool. If it shows none, give up.',
    choices: 'Signs to choose from',
    chosen: (names: readonly string[]) =>
      names.length === 0 ? 'None chosen yet.' : `Chosen: ${names.join(', ')}.`,
    clear: 'Choose again',
    confirm: 'These four',
    confirmed:
      'The signs are right. As soon as the six digits are typed on the other device, this one is in.',
    joining: 'Joining',
    joiningLead: 'Both screens show the same code. This device is being let in.',
    failed: 'That did not work',
    again: 'Ask again',
    cancel: 'Give up',
  },
  /** In a pool, on the device that shows it. */
  listing: {
    heading: 'Show this pool nearby',
    hint: 'Whoever opens Palm at the same relay sees the pool’s name and may ask to join. Nobody comes in before you compared the two screens. It ends when this page closes.',
    on: 'Show this pool nearby',
    off: 'No longer show it',
    connecting: 'Reaching the relay…',
    connected: 'Devices nearby see this pool’s name.',
    lost: 'The relay cannot be reached, so nobody sees this pool.',
  },
  asks: {
    heading: 'Asks to join',
    none: 'Nobody asks at the moment.',
    claim:
      'The name is what the device calls itself. Type digits only from the screen of the device that you want to let in.',
    /** `name`: what the device calls itself. */
    wants: (name: string) => `${name} asks to join.`,
    compare: 'Compare',
    compareWith: (name: string) => `Compare with ${name}`,
    refuse: 'Refuse',
    refuseOf: (name: string) => `Refuse ${name}`,
    /** Takes one that has ended off the list. */
    clear: 'Clear',
    clearOf: (name: string) => `Clear ${name}`,
    title: (name: string) => `Let “${name}” in?`,
    steps: {
      asking: 'Waiting for the other device',
      comparing: 'Compare the two screens',
      allowed: 'The digits are right',
      joined: 'It is in',
      failed: 'It is not in',
    },
    waiting: 'It shows its code in a moment…',
    digitsLead: 'The other screen shows six digits. Type them here:',
    digitsField: 'Six digits of the other screen',
    signsLead: 'The person there chooses these four signs:',
    letIn: 'Let it in',
    allowedLead: 'As soon as the person there has chosen these signs, the device is in.',
    joinedLead: 'The device has joined the pool. The others hear of it by themselves.',
    done: 'Done',
  },
};

export function askingFailed(reason: AskingEnd): string {
  switch (reason) {
    case 'not-listed':
      return 'This pool is not shown nearby any more. Ask somebody there to show it again, or for an invite.';
    case 'not-answered':
      return 'Nobody looked at your ask in time. Tell somebody at a device of the pool, then ask again.';
    case 'refused':
      return 'The ask was refused, or taken back. Nothing has changed. Talk to each other before you ask again.';
    case 'busy':
      return 'Too many devices ask there at the moment. Wait a minute, then ask again, or join with an invite.';
    case 'too-late':
      return 'The codes were not compared in time, and no longer work. Nothing has changed: ask again.';
    case 'differs':
      return 'What was entered is not what the other screen shows, so nobody was let in. If you both compared the same ask, somebody between the two devices may be changing what they send: join with an invite’s QR code instead.';
    case 'other-signs':
      return 'These are not the signs of this code. Look at the other screen again: this is the last try. If it does not show them, do not go on.';
    case 'other-digits':
      return 'These are not the digits of this code. Look at the other screen again: this is the last try. If it shows others, do not go on.';
    case 'lost':
      return 'The other device, or the relay, is gone. Keep Palm open on both, and ask again.';
    case 'not-shown':
      return 'The relay does not show this pool nearby any more: too many are shown there, or it runs an older Palm. Try again later, or invite by link.';
    case 'given-up':
      return 'The other device gave its ask up. Nobody was let in.';
    case 'not-joined':
      return 'The device was allowed in, and did not come in time. Its invite no longer works: let it ask again.';
    case 'over':
      return 'This ask is over, or at another step. Ask again if it is still wanted.';
    case 'not-understood':
      return 'The other device’s Palm does not fit this one’s. Update both, then ask again.';
  }
}
