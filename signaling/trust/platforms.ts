// The systems for which the page on the http port shows how to trust the relay's authority.

export const PLATFORMS = ['ios', 'android', 'windows', 'macos', 'linux', 'firefox'] as const;
/** 'firefox' is the browser on a computer: there it keeps its own list of authorities. */
export type Platform = (typeof PLATFORMS)[number];

/**
 * What a browser runs on, by its User-Agent header. An iPad calls itself a Mac unless it is told to be a
 * phone; the page's script knows it by its touch screen.
 */
export function platformOf(userAgent: string): Platform {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios';
  if (/Android/.test(userAgent)) return 'android';
  if (/Firefox\//.test(userAgent)) return 'firefox';
  if (/Windows/.test(userAgent)) return 'windows';
  if (/Macintosh|Mac OS X/.test(userAgent)) return 'macos';
  return 'linux';
}
