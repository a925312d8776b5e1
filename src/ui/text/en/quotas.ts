// English: what a pool's policy lets a device store.

import { badRotation } from './keys.ts';
import type { Failure } from '../../../core/model/failures.ts';
import { quoted } from '../quotation.ts';
import { formatBytes } from './units.ts';

export function overQuota(failure: Extract<Failure, { readonly code: 'over-quota' }>): string {
  if (failure.reason === 'gives') {
    const { wantedBytes, givenBytes } = failure;
    return `In this pool a device that stores must give ${formatBytes(wantedBytes)}, and this one gives ${formatBytes(givenBytes)}. Free space on this device, or ask for a smaller amount in the pool's settings.`;
  }
  const { limitBytes, usedBytes, neededBytes, removable } = failure;
  const room =
    removable === undefined
      ? 'Store it on another device'
      : `Remove something that this device stored (${quoted(removable.name)} gives back ${formatBytes(removable.bytes)}), store it on another device`;
  return `In this pool a device may store ${formatBytes(limitBytes)}. This one has stored ${formatBytes(usedBytes)}, and with its spare pieces this file takes ${formatBytes(neededBytes)}. ${room}, or raise the limit in the pool's settings.`;
}

export function badQuota(
  failure: Extract<Failure, { readonly reason: 'policy-quota' | 'policy-rotation' }>,
): string {
  if (failure.reason === 'policy-rotation') return badRotation(failure);
  const what =
    failure.of === 'storeBytes' ? 'What a device may store' : 'What a device that stores must give';
  return `${what} must be 0 for no limit, or from ${failure.min.toLocaleString('en')} to ${failure.max.toLocaleString('en')} bytes.`;
}

export const quotaTexts = {
  heading: 'Space',
  stored: (storedBytes: number, storeBytes: number) =>
    `This device stored ${formatBytes(storedBytes)} of the ${formatBytes(storeBytes)} that it may.`,
  gives: (givenBytes: number, giveBytes: number) =>
    givenBytes < giveBytes
      ? `It gives ${formatBytes(givenBytes)}. To store, it must give ${formatBytes(giveBytes)}.`
      : `It gives ${formatBytes(givenBytes)}, and must give ${formatBytes(giveBytes)}.`,
};
