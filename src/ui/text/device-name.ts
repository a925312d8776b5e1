// A first guess at what to call this device, from the user-agent string: people change it, nothing depends on it. Pure.

const DEVICES: readonly (readonly [RegExp, string])[] = [
  [/iPhone/u, 'iPhone'],
  [/iPad/u, 'iPad'],
  [/Android.*Mobile/u, 'Android phone'],
  [/Android/u, 'Android tablet'],
  [/CrOS/u, 'Chromebook'],
  [/Macintosh/u, 'Mac'],
  [/Windows/u, 'Windows laptop'],
  [/Linux/u, 'Linux laptop'],
];

/** In this order: Edge and Opera also call themselves Chrome, and Chrome calls itself Safari. */
const BROWSERS: readonly (readonly [RegExp, string])[] = [
  [/Edg(?:e|A|iOS)?\//u, 'Edge'],
  [/OPR\//u, 'Opera'],
  [/SamsungBrowser\//u, 'Samsung Internet'],
  [/Firefox\/|FxiOS\//u, 'Firefox'],
  [/Chrome\/|CriOS\/|Chromium\//u, 'Chrome'],
  [/Safari\//u, 'Safari'],
];

/** Such as "Android phone (Chrome)"; "This device" when nothing is recognised. At most 64 bytes of UTF-8. */
export function guessDeviceName(userAgent: string): string {
  const device = firstMatch(DEVICES, userAgent);
  const browser = firstMatch(BROWSERS, userAgent);
  if (device === undefined) return 'This device';
  return browser === undefined ? device : `${device} (${browser})`;
}

function firstMatch(table: readonly (readonly [RegExp, string])[], text: string): string | undefined {
  return table.find(([pattern]) => pattern.test(text))?.[1];
}
