// What the path of a request names. The path is taken apart before it is unescaped, and nothing in it is
// resolved: "..", a slash or a NUL that was escaped is no name of anything.

import type { FileStatus } from '../../runtime/api.ts';
import { words } from '../words.ts';
import { Refusal } from './answer.ts';

export interface Target {
  /** Unescaped; the last one is '' when the path ends with a slash. */
  readonly segments: readonly string[];
  readonly query: URLSearchParams;
}

/** More than the longest path and name of a file, with every byte escaped. */
const MAX_TARGET_CHARS = 16 * 1024;

/** @throws Refusal. */
export function targetOf(url: string): Target {
  if (!url.startsWith('/') || url.length > MAX_TARGET_CHARS)
    throw new Refusal(400, 'bad-path', words.gateway.badPath);
  const [path = '', ...query] = url.slice(1).split('?');
  const segments = path.split('/').map(unescaped);
  if (segments.slice(0, -1).includes('')) throw new Refusal(400, 'bad-path', words.gateway.badPath);
  return { segments, query: new URLSearchParams(query.join('?')) };
}

function unescaped(segment: string): string {
  let text: string;
  try {
    text = decodeURIComponent(segment);
  } catch {
    throw new Refusal(400, 'bad-path', words.gateway.badPath);
  }
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  if (text === '.' || text === '..' || /[/\\\u0000-\u001F\u007F]/u.test(text))
    throw new Refusal(400, 'bad-path', words.gateway.badPath);
  return text;
}

/** Where a file's bytes are. */
export function urlOfFile({ fileId, name }: Pick<FileStatus, 'fileId' | 'name'>): string {
  return `/f/${fileId}/${escaped(name)}`;
}

/** Of a folder, with the slash at its end. '' is the pool itself. */
export function urlOfFolder(path: string): string {
  const parts = path.split('/').filter((part) => part !== '');
  return ['/f/', ...parts.map((part) => `${escaped(part)}/`)].join('');
}

/** A segment that no client resolves. */
export function escaped(name: string): string {
  return name === '' || name === '.' || name === '..' ? '_' : encodeURIComponent(name);
}
