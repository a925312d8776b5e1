// `npm start -- --keep`: the relay, and next to it in one process a device of the pool. The relay itself
// still knows nothing of any pool. Bundled to dist/cli/keep.js, next to the device's threads.

import { fileURLToPath } from 'node:url';
import { deviceFolderIn } from '../src/cli/commands/context.ts';
import { HOUSEHOLD_USES, inviteFrom, printInvite } from '../src/cli/commands/pool-commands.ts';
import { ended } from '../src/cli/commands/up.ts';
import { LaneServer } from '../src/cli/device/lane-server.ts';
import { runDevice, type RunningDevice } from '../src/cli/device/run-device.ts';
import { runToEnd } from '../src/cli/ending.ts';
import { deviceLog } from '../src/cli/operations/device-log.ts';
import { print, warn } from '../src/cli/output.ts';
import { words } from '../src/cli/words.ts';
import { RELAY_PATH } from '../src/core/wire/relay-protocol.ts';
import { announcement, jsonAnnouncement, movedAnnouncement } from './announcement.ts';
import { HELP, readCommandLine } from './command-line.ts';
import { advertiseByMdns } from './mdns.ts';
import { startRelay, type Relay } from './relay.ts';

/** The pool that a first run makes, where none is joined. */
const FIRST_POOL_NAME = 'Home';

await runToEnd(process.argv, (signal) => keep(process.argv.slice(2), signal));

async function keep(parameters: readonly string[], signal: AbortSignal): Promise<void> {
  const command = readCommandLine(parameters);
  if (command.kind !== 'run') {
    process.stdout.write(HELP);
    return;
  }
  const isTerminal = process.stdout.isTTY;
  const lane = new LaneServer();
  const relay = await startRelay({
    ...command,
    lane: (...request) => lane.answer(...request),
    appDir: command.appDir ?? fileURLToPath(new URL('../app', import.meta.url)),
    advertise: advertiseByMdns,
    onProblem: warn,
    onMoved: (moved) => {
      if (!command.json) print(movedAnnouncement(moved, isTerminal));
    },
  });
  lane.origins = () => originsOf(relay);
  try {
    const own = { relayUrl: relayUrlOf(relay), lane, appUrl: () => relay.lan[0] ?? relay.app };
    const device = await runDevice(deviceFolderIn(command.dataDir), own, deviceLog());
    try {
      await enterPool(device, command.join);
      if (command.json) print(jsonAnnouncement(relay));
      else await announce(relay, device, isTerminal);
    } catch (error) {
      await device.close();
      throw error;
    }
    await ended(device, signal);
  } finally {
    await relay.close();
  }
}

async function enterPool({ palm }: RunningDevice, join: string | undefined): Promise<void> {
  if (palm.status().pool !== undefined) {
    if (join !== undefined) await palm.join(await inviteFrom(join)); // says that it is in one
    return;
  }
  if (join === undefined) await palm.createPool({ name: FIRST_POOL_NAME });
  else {
    const invite = await inviteFrom(join);
    warn(words.joining);
    const { answered } = await palm.join(invite);
    if (!answered) warn(words.joinedAlone);
  }
}

/** On a terminal with the invite; elsewhere never, because journals keep what is printed. */
async function announce(relay: Relay, device: RunningDevice, isTerminal: boolean): Promise<void> {
  print(announcement(relay, isTerminal));
  print(`  ${words.keeps(device.palm.status().pool?.name ?? '')}\n  ${words.reads}\n`);
  if (!isTerminal) {
    print(`  ${words.noInviteShown}`);
    return;
  }
  print(`  ${words.inviteFor}\n`);
  printInvite(await device.invite({ uses: HOUSEHOLD_USES }), true);
}

/** The loopback address that the relay listens on, or its only one. */
function relayUrlOf({ app }: Relay): string {
  const url = new URL(RELAY_PATH, app);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Where browsers may have opened the app. */
function originsOf({ app, lan, named, httpPort, httpsPort }: Relay): string[] {
  const here = [
    `http://localhost:${httpPort}`,
    `http://127.0.0.1:${httpPort}`,
    `https://localhost:${httpsPort}`,
  ];
  const urls = [app, ...lan, ...(named === undefined ? [] : [named]), ...here];
  return [...new Set(urls.map((url) => new URL(url).origin))];
}
