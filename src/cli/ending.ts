// How a program of the command line ends: its exit code, and why it failed.

import { FolderError } from '../adapters/node/store/folder-error.ts';
import { NoWebRtc } from '../adapters/node/no-webrtc.ts';
import { isPalmError } from '../core/model/errors.ts';
import { CommandError, EXIT, exitCodeOf, interrupted } from './exit-code.ts';
import { printJson, warn } from './output.ts';
import { words } from './words.ts';

/** Runs `work`, whose signal aborts on Ctrl-C, and ends the process. */
export async function runToEnd(
  argv: readonly string[],
  work: (signal: AbortSignal) => Promise<void>,
): Promise<never> {
  const ending = new AbortController();
  // Once: a second Ctrl-C ends the process immediately, in case the first hangs.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => ending.abort());
  try {
    await work(ending.signal);
    process.exit(EXIT.done);
  } catch (error) {
    // Who reads the output has enough of it, as `head` does.
    if (error instanceof Error && 'code' in error && error.code === 'EPIPE') process.exit(EXIT.interrupted);
    const { message, code, exitCode } = ending.signal.aborted ? interrupted() : told(error);
    if (argv.includes('--json')) printJson({ error: { code, message } });
    else warn(message);
    process.exit(exitCode);
  }
}

interface Told {
  readonly message: string;
  readonly code: string;
  readonly exitCode: number;
}

function told(error: unknown): Told {
  if (error instanceof CommandError) return error;
  if (isPalmError(error))
    return { message: error.message, code: error.code, exitCode: exitCodeOf(error.code) };
  if (error instanceof FolderError) {
    return { message: words.folder(error.trouble), code: error.trouble.kind, exitCode: EXIT.storage };
  }
  if (error instanceof NoWebRtc)
    return { message: words.noWebRtc(error.machine), code: 'no-webrtc', exitCode: EXIT.refused };
  // The relay's: it cannot start, and says why.
  if (error instanceof Error && error.name === 'StartError')
    return { message: error.message, code: 'start', exitCode: EXIT.bug };
  // The parser's own, such as an unknown flag.
  if (error instanceof Error && error.name === 'CACError')
    return { message: error.message, code: 'usage', exitCode: EXIT.usage };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message: words.bug(message), code: 'bug', exitCode: EXIT.bug };
}
