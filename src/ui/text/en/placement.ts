// English: whether files are placed around devices that are always on. `names`: of these, as they are shown.

export const placementTexts = {
  names: (names: readonly string[]) =>
    names.length < 2 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`,
  question: 'Keep files always readable?',
  offer: (names: string) =>
    `Always on: ${names}. It can keep almost everything that opens a file, and every other device the last piece: then each of them opens every file whenever it is awake, and ${names} alone opens none.`,
  price: (names: string) =>
    `Always readable has a price: ${names} and any one other device together can open every file. Choose it only if you know this device and trust the place where it stands.`,
  spreadMeans:
    'Spread thin, a thief needs several devices, and files open only while several are awake. Private files are spread thin either way. You can change this in Pool settings.',
  anchored: 'Always readable',
  spread: 'Spread thin',
  saved: 'The pool’s settings were saved',
  /** In the list of devices. */
  anchor: 'Anchor',
  /** In Pool settings. */
  setting: 'How files are kept',
};
