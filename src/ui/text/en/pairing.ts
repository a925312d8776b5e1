// English: pairing without a relay.

export const pairTexts = {
  open: 'Pair without a relay',
  whenToPair:
    'No relay, or it cannot be reached? Devices that are side by side can pair by two codes, which they scan from each other’s screens.',
  preparing: {
    heading: 'Making the code',
    lead: 'Palm asks for the camera first: it is needed for the next step, and devices find each other better with it.',
  },
  offer: {
    heading: 'Step 1 of 3: show this code',
    lead: 'On the other device, open Palm, choose “Pair without a relay” and scan this code. It then shows a code of its own.',
  },
  'scan-first': {
    heading: 'Step 1 of 3: scan the first code',
    lead: 'On a device of the pool, choose “Invite a device”, then “Pair without a relay”. Point this camera at the code that it shows.',
  },
  answer: {
    heading: 'Step 2 of 3: show the answer',
    lead: 'On the other device, choose “Next: scan the answer” and scan this code. Keep this page open; it goes on by itself.',
  },
  'scan-answer': {
    heading: 'Step 2 of 3: scan the answer',
    lead: 'Point this camera at the code that the other device shows now.',
  },
  'let-in': {
    heading: 'Let a new device in?',
    lead: 'This device is in no pool yet. Let it in? It becomes a member of your pool.',
  },
  letIn: 'Let it in',
  notIn: 'Do not let it in',
  linking: {
    heading: 'Step 3 of 3: connecting',
    lead: 'The devices are looking for each other. This takes some seconds; keep Palm open on both.',
  },
  linked: {
    heading: 'Paired',
    lead: 'The two devices are linked. The others of the pool hear of it by themselves.',
  },
  failed: { heading: 'That did not work' },
  /** For those who do not see the picture. */
  codeOf: { offer: 'QR code to be scanned first', answer: 'QR code of the answer' },
  next: 'Next: scan the answer',
  back: 'Show this device’s code again',
  scanInstead: 'Scan the other device’s code instead',
  showInstead: 'Show a code here instead',
  asText: 'The code as text',
  paste: 'Or paste the code',
  use: 'Use this code',
  until: (time: string) => `The code works until ${time}, and once.`,
  startOver: 'Start over',
  done: 'Done',
  /** On the screen of a newcomer that waits to be let in. */
  joining: 'The other device is letting this one in. Keep Palm open on both.',
};
