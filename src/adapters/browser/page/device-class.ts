// A guess at what kind of device this is, from what the browser shows. People are not asked: a wrong guess
// only lets the others wait longer, or not so long, before they make up for its absence.

import type { DeviceClass } from '../../../core/model/device-class.ts';

/** What the guess goes by. */
export interface DeviceTraits {
  readonly userAgent: string;
  /** Whether its main pointer is a finger. */
  readonly isTouch: boolean;
  /** The shorter side of its screen, CSS px. */
  readonly screenPx: number;
}

const PHONE = /iPhone|iPod|Android.*Mobile|Windows Phone|Mobile.*Firefox/u;
/** Tablets of people who carry them about are narrower than this; touch laptops are wider. */
const TABLET_PX = 1_000;

export function guessDeviceClass({ userAgent, isTouch, screenPx }: DeviceTraits): DeviceClass {
  return PHONE.test(userAgent) || (isTouch && screenPx < TABLET_PX) ? 'phone' : 'laptop';
}

export function ownDeviceClass(): DeviceClass {
  return guessDeviceClass({
    userAgent: navigator.userAgent,
    isTouch: matchMedia('(pointer: coarse)').matches,
    screenPx: Math.min(screen.width, screen.height),
  });
}
