// The commands, their flags and their help.

import { cac, type CAC } from 'cac';
import { completionScript } from './completion.ts';
import { manPage } from './man-page.ts';
import { discover } from './commands/discover-command.ts';
import { add, get, list, listNames, remove, showStatus, verify, where } from './commands/file-commands.ts';
import { move } from './commands/move-command.ts';
import { type CommonFlags, type Context, contextOf } from './commands/context.ts';
import { gateway } from './commands/gateway-command.ts';
import {
  create,
  giveRole,
  join,
  leave,
  log,
  makeRecoveryCode,
  peers,
  placement,
  showInvite,
  shutOut,
  stop,
} from './commands/pool-commands.ts';
import { pin } from './commands/pin-command.ts';
import { repair } from './commands/repair-command.ts';
import { token } from './commands/token-commands.ts';
import { CommandError, EXIT } from './exit-code.ts';
import { print } from './output.ts';
import { words } from './words.ts';

/** The parser takes a lone `-` for an empty flag: it sees this in its place. */
const STANDARD = '\0-';

function textOf(given: unknown): string {
  return given === STANDARD ? '-' : String(given);
}

/** Parses `argv` (with Node and the script) and runs the command. @throws CommandError. */
export async function runProgram(
  argv: readonly string[],
  version: string,
  signal: AbortSignal,
): Promise<void> {
  const program = commands((flags) => contextOf(flags, signal), version);
  const { options } = program.parse(
    argv.map((given) => (given === '-' ? STANDARD : given)),
    { run: false },
  );
  if (options['help'] === true || options['version'] === true) return;
  if (program.matchedCommand === undefined) {
    const [name] = program.args;
    throw new CommandError(name === undefined ? words.noCommand : words.unknownCommand(name), EXIT.usage);
  }
  await program.runMatchedCommand();
}

type ContextOf = (flags: CommonFlags) => Context;

/** Of the whole program, for its manual page too. */
export function commands(contextOfFlags: ContextOf, version: string): CAC {
  const program = cac('palm');
  program.option('--data <dir>', 'The data folder whose device is meant (default: your own)');
  program.option('--json', 'Print JSON, and nothing else');
  program.option('--quiet', 'Print no progress');
  program.help();
  program.version(version);
  poolCommands(program, contextOfFlags);
  fileCommands(program, contextOfFlags);
  program
    .command('token <action> [token]', 'Tokens by which programs use this device: create, ls, or rm')
    .option('--name <name>', 'What the new token is called')
    .option('--scope <scopes>', 'What it may do: read, add, admin, or several, with commas')
    .option('--expires <time>', 'How long it is valid, such as 12h or 30d (default: until it is removed)')
    .example('palm token create --scope add --name scanner --expires 30d')
    .example('palm token rm scanner')
    .action((action: string, which: string | undefined, flags: CommonFlags) =>
      token(contextOfFlags(flags), action, which, flags),
    );
  program
    .command('gateway', 'Give programs with a token the pool’s files over HTTP, from now on')
    .option('--port <port>', 'The port (default: 8790)')
    .option('--host <address>', 'What it listens on (default: 127.0.0.1)')
    .option('--name <name>', 'What others call it, such as nas.local')
    .option('--open-metrics', 'Give /metrics to other machines, too')
    .option('--off', 'End it')
    .example('palm gateway --port 8790')
    .action((flags: CommonFlags) => gateway(contextOfFlags(flags), flags));
  program
    .command('doctor', 'Try what the device needs, and say what is in the way and the way round')
    .option('--report', 'Print a report to pass on, without names, addresses and keys')
    .example('palm doctor --report')
    .action(async (flags: CommonFlags) => {
      const { doctor } = await import('./commands/doctor.ts');
      await doctor(contextOfFlags(flags), flags);
    });
  program
    .command('discover', 'List the relays that are found on this network')
    .option('--wait <seconds>', 'How long to listen (default: 2.5)')
    .example('palm discover --json')
    .action((flags: CommonFlags) => discover(contextOfFlags(flags), flags));
  program
    .command('names', 'Print the names of all files, one a line')
    .action((flags: CommonFlags) => listNames(contextOfFlags(flags)));
  program
    .command('completion', 'Print what completes commands and names in bash and zsh')
    .example('source <(palm completion)')
    .action(() => print(completionScript(program.commands.map(({ name }) => name))));
  program
    .command('man', 'Print the manual page')
    .example('palm man | man -l -')
    .action(() => void process.stdout.write(manPage(program)));
  return program;
}

function poolCommands(program: CAC, contextOfFlags: ContextOf): void {
  program
    .command('up', 'Run the device here until Ctrl-C')
    .option('--folder <dir>', 'The device’s own folder')
    .example('palm up')
    .action(async (flags: CommonFlags) => {
      const { folder, signal } = contextOfFlags(flags);
      // A command that only speaks to the device does not load one.
      const { up } = await import('./commands/up.ts');
      await up(folder, signal);
    });
  program
    .command('create <name>', 'Create a pool')
    .option('--device-name <name>', 'What others call this device')
    .option('--relay <url>', 'Where the relay is (default: this machine)')
    .example('palm create "Harbour house"')
    .action((name: string, flags: CommonFlags) => create(contextOfFlags(flags), name, flags));
  program
    .command('join <invite>', 'Join a pool; the invite is a file, - for standard input, or the link itself')
    .option('--device-name <name>', 'What others call this device')
    .option('--relay <url>', 'Where the relay is (default: the address in the invite)')
    .example('palm join - < invite.txt')
    .action((given: string, flags: CommonFlags) => join(contextOfFlags(flags), textOf(given), flags));
  program
    .command('invite', 'Print an invite, on a terminal with a code to scan')
    .option('--role <role>', 'What those who join by it become (default: member)')
    .option('--uses <count>', 'How many devices may join by it (default: 10)')
    .option('--expires <time>', 'How long it is valid, such as 30m, 12h or 7d (default: 1d)')
    .example('palm invite --json')
    .action((flags: CommonFlags) => showInvite(contextOfFlags(flags), flags));
  program
    .command('placement [placement]', 'Show, or choose: anchored (always readable) or spread (thin)')
    .example('palm placement anchored')
    .action((given: unknown, flags: CommonFlags) => placement(contextOfFlags(flags), given));
  program
    .command('role <device> <role>', 'Make a device, by its name or id, an admin, a member or a reader')
    .example('palm role "Anna’s phone" admin')
    .action((device: string, role: string, flags: CommonFlags) =>
      giveRole(contextOfFlags(flags), textOf(device), role),
    );
  program
    .command('shut-out <device>', 'Shut a device out of the pool for good, by its name or id')
    .example('palm shut-out "lost phone"')
    .action((device: string, flags: CommonFlags) => shutOut(contextOfFlags(flags), textOf(device)));
  program
    .command('recovery-code', 'Make a code for paper that brings the pool an admin when all are lost')
    .action((flags: CommonFlags) => makeRecoveryCode(contextOfFlags(flags)));
  program
    .command('peers', 'List the pool’s devices')
    .action((flags: CommonFlags) => peers(contextOfFlags(flags)));
  program
    .command('log', 'Print what happened')
    .option('-f, --follow', 'Go on with what happens')
    .action((flags: CommonFlags) => log(contextOfFlags(flags), flags));
  program
    .command('leave', 'Leave the pool and erase its keys here')
    .option('--hand-over', 'First hand everything over to the other devices')
    .action((flags: CommonFlags) => leave(contextOfFlags(flags), flags));
  program
    .command('stop', 'End the device that runs in the background')
    .action((flags: CommonFlags) => stop(contextOfFlags(flags)));
}

function fileCommands(program: CAC, contextOfFlags: ContextOf): void {
  program
    .command('add <...files>', 'Add files, folders, or standard input (-)')
    .option('--name <name>', 'The name in the pool')
    .option('--path <path>', 'The folder in the pool')
    .option('--private', 'Only the link that is printed opens it')
    .option('--cid', 'With its IPFS CID, as `ipfs add` gives it; the file is read once more')
    .option('-k <count>', 'How many fragments open it')
    .option('-n <count>', 'How many fragments there are')
    .example('palm add photos')
    .example('palm add --cid film.mp4')
    .example('tar c documents | palm add - --name documents.tar')
    .action((files: readonly string[], flags: CommonFlags) =>
      add(contextOfFlags(flags), files.map(textOf), flags),
    );
  program
    .command('get <file> [out]', 'Get a file by name or id, into a file or folder, or to standard output (-)')
    .option('--force', 'Replace what is there')
    .option('--link <link>', 'The link of a private file')
    .example('palm get documents.tar - | tar x')
    .action((file: string, out: string | undefined, flags: CommonFlags) =>
      get(contextOfFlags(flags), textOf(file), out === undefined ? undefined : textOf(out), flags),
    );
  program
    .command('ls [folder]', 'List the pool’s files')
    .action((folder: string | undefined, flags: CommonFlags) => list(contextOfFlags(flags), folder));
  program
    .command('rm <...files>', 'Remove files for everybody')
    .action((files: readonly string[], flags: CommonFlags) =>
      remove(contextOfFlags(flags), files.map(textOf)),
    );
  program
    .command('mv <file> <to>', 'Give a file, or each file of a folder, another name or folder')
    .example('palm mv holiday.mov 2024/summer.mov')
    .example('palm mv report.pdf archive/')
    .action((file: string, to: string, flags: CommonFlags) =>
      move(contextOfFlags(flags), textOf(file), textOf(to)),
    );
  program
    .command('status [file]', 'How the pool is, or a file: who holds it, and what it survives')
    .example('palm status --json')
    .action((file: string | undefined, flags: CommonFlags) => showStatus(contextOfFlags(flags), file));
  program
    .command('where <file>', 'Which device holds which fragments of a file')
    .action((file: string, flags: CommonFlags) => where(contextOfFlags(flags), textOf(file)));
  program
    .command('pin <...files>', 'Keep as many fragments here as one device may: k - 1, whatever others hold')
    .example('palm pin film.mp4')
    .action((files: readonly string[], flags: CommonFlags) =>
      pin(contextOfFlags(flags), files.map(textOf), true),
    );
  program
    .command('unpin <...files>', 'Keep this device’s own share only')
    .action((files: readonly string[], flags: CommonFlags) =>
      pin(contextOfFlags(flags), files.map(textOf), false),
    );
  program
    .command('repair', 'Restore all missing fragments now, and say of which files')
    .example('palm repair --json')
    .action((flags: CommonFlags) => repair(contextOfFlags(flags)));
  program
    .command('verify <...files>', 'Read files whole, and keep nothing of them')
    .action((files: readonly string[], flags: CommonFlags) =>
      verify(contextOfFlags(flags), files.map(textOf)),
    );
}
