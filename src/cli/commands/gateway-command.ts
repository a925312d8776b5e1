// `palm gateway`: the pool's files over HTTP, for programs with a token.

import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson, warn } from '../output.ts';
import { words } from '../words.ts';
import type { CommonFlags, Context } from './context.ts';
import { textOrNull } from './pool-commands.ts';

/** @throws CommandError. */
export async function gateway(context: Context, flags: CommonFlags): Promise<void> {
  const given = flags['port'];
  const port = typeof given === 'number' ? given : null;
  if (given !== undefined && port === null) throw new CommandError(words.gateway.badPort, EXIT.usage);
  const device = await context.device();
  if (flags['off'] === true) {
    await device.endGateway();
    if (context.isJson) printJson({});
    else print(words.gateway.off);
    return;
  }
  const openMetrics = typeof flags['openMetrics'] === 'boolean' ? flags['openMetrics'] : null;
  const [host, name] = [textOrNull(flags['host']), textOrNull(flags['name'])];
  const status = await device.useGateway(host, port, name, openMetrics);
  if (context.isJson) printJson(status);
  else {
    print(words.gateway.on(status.url));
    if (status.isOpen) warn(words.gateway.notEncrypted);
  }
}
