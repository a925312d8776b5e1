// `palm token`: tokens by which other programs use this device.

import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson, printTable, warn } from '../output.ts';
import { words } from '../words.ts';
import type { CommonFlags, Context } from './context.ts';
import { durationMs, textOrNull } from './pool-commands.ts';

/** @throws CommandError. */
export async function token(
  context: Context,
  action: string,
  which: string | undefined,
  flags: CommonFlags,
): Promise<void> {
  switch (action) {
    case 'create':
      return createToken(context, flags);
    case 'ls':
      return listTokens(context);
    case 'rm':
      return removeToken(context, which);
    default:
      throw new CommandError(words.token.unknownAction(action), EXIT.usage);
  }
}

async function createToken(context: Context, flags: CommonFlags): Promise<void> {
  const [name, scopes] = [textOrNull(flags['name']), textOrNull(flags['scope'])];
  if (name === null) throw new CommandError(words.token.badName, EXIT.usage);
  if (scopes === null) throw new CommandError(words.token.noScope, EXIT.usage);
  const expiresInMs = durationMs(flags['expires']);
  const created = await (await context.device()).createToken(name, scopes, expiresInMs);
  if (context.isJson) printJson(created);
  else {
    print(created.token);
    warn(words.token.shownOnce);
  }
}

async function listTokens(context: Context): Promise<void> {
  const tokens = await (await context.device()).tokens();
  if (context.isJson) printJson(tokens);
  else {
    printTable(
      tokens.map(({ id, name, scopes, expiresAtMs }) => [
        name,
        scopes.join(','),
        expiresAtMs === undefined
          ? words.token.never
          : words.token.until(new Date(expiresAtMs).toISOString()),
        id,
      ]),
    );
  }
}

async function removeToken(context: Context, which: string | undefined): Promise<void> {
  if (which === undefined) throw new CommandError(words.token.which, EXIT.usage);
  const removed = await (await context.device()).removeToken(which);
  if (context.isJson) printJson(removed);
  else print(words.token.removed(removed.name));
}
