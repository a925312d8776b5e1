// How the program ends, by kind of failure (docs/OPERATING.md, "Exit codes").

import type { ToldError } from './device/messages.ts';
import { words } from './words.ts';

export const EXIT = {
  done: 0,
  bug: 1,
  usage: 2,
  noDevice: 3,
  noPool: 4,
  noSuchFile: 5,
  notReadable: 6,
  storage: 7,
  refused: 8,
  interrupted: 130,
} as const;

export function exitCodeOf(code: ToldError['code']): number {
  switch (code) {
    case 'bug':
      return EXIT.bug;
    case 'bad-argument':
    case 'bad-request':
    case 'bad-invite':
    case 'bad-pair-code':
      return EXIT.usage;
    case 'not-in-pool':
    case 'already-in-pool':
      return EXIT.noPool;
    case 'unknown-file':
    case 'removed-file':
    case 'source-changed':
    case 'file-needed':
      return EXIT.noSuchFile;
    case 'not-enough-fragments':
    case 'link-needed':
    case 'link-closed':
    case 'deadline':
    case 'corrupt':
      return EXIT.notReadable;
    case 'storage-full':
    case 'storage-failed':
    case 'log-full':
    case 'over-quota':
      return EXIT.storage;
    case 'cancelled':
      return EXIT.interrupted;
    default:
      return EXIT.refused;
  }
}

/** A failure that people are told, with the code that the program ends with. */
export class CommandError extends Error {
  readonly exitCode: number;
  readonly code: string;

  constructor(message: string, exitCode: number, code = 'usage') {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
    this.code = code;
  }
}

export function toldFailure({ code, message }: ToldError): CommandError {
  return new CommandError(message, exitCodeOf(code), code);
}

export function interrupted(): CommandError {
  return new CommandError(words.interrupted, EXIT.interrupted, 'cancelled');
}
