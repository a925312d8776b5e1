// The relay's program: flags in, a running relay, its addresses on the terminal; SIGINT or SIGTERM ends it
// with code 0. Bundled to dist/relay/main.js, which start.mjs imports. With --json, stdout gets only the one
// line.

import { fileURLToPath } from 'node:url';
import { announcement, jsonAnnouncement, movedAnnouncement } from './announcement.ts';
import { HELP, readCommandLine } from './command-line.ts';
import { advertiseByMdns } from './mdns.ts';
import { startRelay } from './relay.ts';
import { StartError } from './start-error.ts';

/** package.json's version, inserted by the bundler. */
declare const PALM_VERSION: string;

await main();

async function main(): Promise<void> {
  try {
    await run();
  } catch (error) {
    if (!(error instanceof StartError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  }
}

async function run(): Promise<void> {
  const command = readCommandLine(process.argv.slice(2));
  switch (command.kind) {
    case 'help':
      process.stdout.write(HELP);
      break;
    case 'version':
      console.log(PALM_VERSION);
      break;
    case 'run': {
      if (command.keep) throw new StartError('A device runs next to the relay by `npm start -- --keep`.');
      const relay = await startRelay({
        ...command,
        appDir: command.appDir ?? fileURLToPath(new URL('../app', import.meta.url)),
        advertise: advertiseByMdns,
        onProblem: (message) => console.error(message),
        // A program asks /lan.
        onMoved: (moved) => {
          if (!command.json) console.log(movedAnnouncement(moved, process.stdout.isTTY));
        },
      });
      // Once: a second Ctrl-C ends the process immediately, in case the first hangs.
      const stop = () => void relay.close();
      process.once('SIGINT', stop);
      process.once('SIGTERM', stop);
      console.log(command.json ? jsonAnnouncement(relay) : announcement(relay, process.stdout.isTTY));
      break;
    }
  }
}
