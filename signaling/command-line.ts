// The relay's flags.

import { parseArgs } from 'node:util';
import { readAskedName } from './asked-name.ts';
import type { CertificateFiles } from './given-certificate.ts';
import { DEFAULT_HTTP_PORT, DEFAULT_HTTPS_PORT } from './relay-ports.ts';
import { StartError } from './start-error.ts';

export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | {
      readonly kind: 'run';
      readonly port: number | undefined;
      readonly httpPort: number | undefined;
      readonly host: string | undefined;
      readonly dataDir: string | undefined;
      readonly appDir: string | undefined;
      readonly certificate: CertificateFiles | undefined;
      /** Checked: in `.local`, or of a domain that the certificate is to be for. */
      readonly name: string | undefined;
      readonly json: boolean;
      /** Whether it carries data of devices that do not reach each other. */
      readonly turn: boolean;
      /** Whether a device is to run next to the relay, and where the invite is that it joins by. */
      readonly keep: boolean;
      readonly join: string | undefined;
    };

export const HELP = `Palm's relay: serves the app on this network and introduces devices to each other. It keeps no files.

  npm start -- [flags]

  --port PORT        https, for the other devices (default: that of the last time, at first ${DEFAULT_HTTPS_PORT}; 0: any free one)
  --http-port PORT   http, for this machine (default: that of the last time, at first ${DEFAULT_HTTP_PORT}; 0: any free one)
  --host ADDRESS     listen on this address of this machine alone (default: on all)
  --data DIR         keep the relay's certificate and ports here (default: your data folder)
  --cert FILE        use this certificate (PEM, with its chain) in place of one that the relay makes; needs --key
  --key FILE         the certificate's private key (PEM)
  --name NAME        be called NAME.local on this network, also at later starts (default: palm- and five characters);
                     with --cert: the name that the certificate is for, and that devices open
  --app DIR          serve the app from this folder (default: the one that was built)
  --no-turn          carry no data of devices that do not reach each other, even if coturn is installed
  --json             print one line of JSON when ready, and nothing else
  --keep             also run a device of a pool on this machine (docs/OPERATING.md); a first run creates the pool
  --join FILE        with --keep: join the pool of the invite in FILE (-: standard input)
  --version
  --help
`;

/** @throws StartError for an unknown flag, or a value it does not take. */
export function readCommandLine(parameters: readonly string[]): Command {
  const { values } = parse(parameters);
  if (values.help === true) return { kind: 'help' };
  if (values.version === true) return { kind: 'version' };
  const certificate = readCertificate(readText('--cert', values.cert), readText('--key', values.key));
  const name = readText('--name', values.name);
  return {
    kind: 'run',
    port: readPort('--port', values.port),
    httpPort: readPort('--http-port', values['http-port']),
    host: readText('--host', values.host),
    dataDir: readText('--data', values.data),
    appDir: readText('--app', values.app),
    certificate,
    name: name === undefined ? undefined : readAskedName(name, certificate !== undefined),
    json: values.json === true,
    turn: values['no-turn'] !== true,
    keep: values.keep === true,
    join: readJoin(readText('--join', values.join), values.keep === true),
  };
}

function readCertificate(cert: string | undefined, key: string | undefined): CertificateFiles | undefined {
  if (cert === undefined && key === undefined) return undefined;
  if (cert === undefined || key === undefined) {
    throw new StartError('--cert and --key go together: a certificate is of no use without its key.');
  }
  return { cert, key };
}

function readJoin(join: string | undefined, keep: boolean): string | undefined {
  if (join === undefined || keep) return join;
  throw new StartError('--join goes with --keep: the relay alone joins no pool.');
}

function parse(parameters: readonly string[]) {
  try {
    return parseArgs({
      args: [...parameters],
      options: {
        port: { type: 'string' },
        'http-port': { type: 'string' },
        host: { type: 'string' },
        data: { type: 'string' },
        app: { type: 'string' },
        cert: { type: 'string' },
        key: { type: 'string' },
        name: { type: 'string' },
        json: { type: 'boolean' },
        'no-turn': { type: 'boolean' },
        keep: { type: 'boolean' },
        join: { type: 'string' },
        version: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new StartError(`${reason}\nAll flags: npm start -- --help`, { cause });
  }
}

function readPort(flag: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const port = /^\d{1,5}$/.test(value) ? Number(value) : NaN;
  if (!(port <= 65_535)) throw new StartError(`${flag} takes a number from 0 to 65535, not "${value}".`);
  return port;
}

function readText(flag: string, value: string | undefined): string | undefined {
  if (value === '') throw new StartError(`${flag} needs a value.`);
  return value;
}
