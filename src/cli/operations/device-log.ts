// What a device says of itself while it runs: lines of JSON on standard error, which a journal or
// `device.log` keeps for long.
//
// Invariant: no invite, token, key, name or path of a file is in any line. A system's error is told by its
// code, because its message names paths.

import { type DestinationStream, type Logger, pino } from 'pino';

export type DeviceLog = Logger;

/** From the least to the most that is said. */
const LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

/** @param level of PALM_LOG; without a known one, what a person at a terminal wants to see, or a journal. */
export function openDeviceLog(level: string | undefined, destination: DestinationStream): DeviceLog {
  return pino(
    {
      level: LEVELS.find((each) => each === level) ?? (process.stderr.isTTY ? 'warn' : 'info'),
      // The journal knows machine and process.
      base: null,
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: toldError },
    },
    destination,
  );
}

/** To standard error, at once, so that a crash loses no line. */
export function deviceLog(): DeviceLog {
  return openDeviceLog(process.env['PALM_LOG'], pino.destination({ fd: 2, sync: true }));
}

interface ToldSystemError {
  readonly type: string;
  readonly code?: string;
  readonly stack?: string;
}

function toldError(error: unknown): ToldSystemError {
  if (!(error instanceof Error)) return { type: typeof error };
  const { name, stack = '' } = error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // Where it happened is code's; what it says may be a person's.
  const frames = stack.split('\n').filter((line) => /^\s+at /u.test(line));
  return { type: name, ...(code === undefined ? {} : { code }), stack: frames.join('\n') };
}
