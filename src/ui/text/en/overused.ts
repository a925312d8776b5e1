// English: devices that came in beyond an invite's count.

import { countOf, formatMoment } from './units.ts';

export const overusedTexts = {
  heading: 'More devices came in than an invite was for',
  lead: (uses: number, deviceCount: number) =>
    `An invite for ${countOf(uses, 'device')} let in ${deviceCount.toLocaleString('en')}, because parts of the pool did not reach each other. Shut out any that you do not know, and keep the others.`,
  letInBy: (by: string, atMs: number) => `let in by ${by}, ${formatMoment(atMs)}`,
  keep: 'Keep',
  keepOf: (device: string) => `Keep ${device}`,
  shutOutOf: (device: string) => `Shut ${device} out`,
};
