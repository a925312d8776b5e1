// English: one file, in its dialog.

export const fileTexts = {
  title: (file: string) => `Change “${file}”`,
  name: 'Name',
  nameHint: 'For the whole pool. The file stays where it is.',
  rename: 'Rename',
  renaming: 'Renaming…',
  renamed: (file: string) => `Renamed to ${file}`,
  privateName: 'A private file keeps its name, which only its link opens.',
  keepHere: 'Keep here',
  whyKeep: (most: string) =>
    `This device then keeps as much of the file as one device may, up to ${most}, and opens it beside any one other. Alone it cannot.`,
  kept: 'Kept here from now on',
  noLongerKept: 'This device keeps its own share again',
  keptHere: 'Kept here',
  mirror: 'Each device that holds this file has all of it.',
};
