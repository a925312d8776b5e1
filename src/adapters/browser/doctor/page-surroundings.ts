// What a page knows of itself without trying anything.

import { addressKindOf } from '../../../core/doctor/address-kind.ts';
import type { PlatformKind, Surroundings } from '../../../core/doctor/facts.ts';

const PLATFORMS: readonly (readonly [RegExp, PlatformKind])[] = [
  [/iPhone|iPad|iPod/u, 'ios'],
  [/Android/u, 'android'],
  [/Windows/u, 'windows'],
  [/Macintosh|Mac OS X/u, 'macos'],
  [/Linux|CrOS/u, 'linux'],
];

/** In this order: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari. */
const PROGRAMS: readonly (readonly [RegExp, string])[] = [
  [/Edg(?:e|A|iOS)?\/(\d+)/u, 'Edge'],
  [/OPR\/(\d+)/u, 'Opera'],
  [/SamsungBrowser\/(\d+)/u, 'Samsung Internet'],
  [/(?:Firefox|FxiOS)\/(\d+)/u, 'Firefox'],
  [/(?:Chrome|CriOS|Chromium)\/(\d+)/u, 'Chrome'],
  [/Version\/(\d+).* Safari\//u, 'Safari'],
];

export function pageSurroundings(): Surroundings {
  const { userAgent, maxTouchPoints } = navigator;
  return {
    host: 'page',
    platform: platformOf(userAgent, maxTouchPoints),
    program: programOf(userAgent),
    isSecure: isSecureContext,
    isEncrypted: location.protocol === 'https:',
    address: addressKindOf(location.hostname),
  };
}

/** An iPad calls itself a Mac, which has no touch screen. */
export function platformOf(userAgent: string, maxTouchPoints: number): PlatformKind {
  const platform = PLATFORMS.find(([pattern]) => pattern.test(userAgent))?.[1] ?? 'other';
  return platform === 'macos' && maxTouchPoints > 1 ? 'ios' : platform;
}

/** Its name and version, which are never more than a word and a number. */
export function programOf(userAgent: string): string {
  for (const [pattern, name] of PROGRAMS) {
    const version = pattern.exec(userAgent)?.[1];
    if (version !== undefined) return `${name} ${version}`;
  }
  return '';
}
