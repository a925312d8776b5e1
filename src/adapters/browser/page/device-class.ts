// A guess at what kind of device this is, from what the browser shows: never `alwaysOn`, because no page
// stays open for good. People are not asked: a wrong guess only lets the others wait longer, or not so long,
// before they make up for its absence.

import type { DeviceClass } from '../../../core/model/device-class.ts';

/** What the guess goes by. */
export interface DeviceTraits {
  /** What the browser says of itself, where it does (User-Agent Client Hints, Chromium). */
  readonly isMobile?: boolean;
  readonly userAgent: string;
  /** Whether its main pointer is a finger. */
  readonly isTouch: boolean;
  /** The shorter side of its screen, CSS px. */
  readonly screenPx: number;
}

/** Of `navigator`, with what TypeScript's DOM library lacks. */
interface HintingNavigator extends Pick<Navigator, 'userAgent'> {
  readonly userAgentData?: { readonly mobile: boolean };
}

const PHONE = /iPhone|iPod|Android.*Mobile|Windows Phone|Mobile.*Firefox/u;
/** Tablets of people who carry them about are narrower than this; touch laptops are wider. */
const TABLET_PX = 1_000;

export function guessDeviceClass({ isMobile, userAgent, isTouch, screenPx }: DeviceTraits): DeviceClass {
  // "No" means little: tablets say it, and phones that were asked for desktop sites.
  if (isMobile === true) return 'phone';
  return PHONE.test(userAgent) || (isTouch && screenPx < TABLET_PX) ? 'phone' : 'laptop';
}

export function ownDeviceClass(): DeviceClass {
  const { userAgentData }: HintingNavigator = navigator;
  const isMobile = userAgentData?.mobile;
  return guessDeviceClass({
    ...(isMobile === undefined ? {} : { isMobile }),
    userAgent: navigator.userAgent,
    isTouch: matchMedia('(pointer: coarse)').matches,
    screenPx: Math.min(screen.width, screen.height),
  });
}
