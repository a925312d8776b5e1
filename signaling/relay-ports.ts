// Which ports a relay asks for, and what it remembers of them.

import { type KeptPorts, loadPorts, savePorts } from './kept-ports.ts';
import type { PortChoice } from './listen.ts';

export const DEFAULT_HTTPS_PORT = 8443;
export const DEFAULT_HTTP_PORT = 8080;

export type PortUse = 'https' | 'http';

const USES = {
  https: { standard: DEFAULT_HTTPS_PORT, flag: '--port', of: 'other devices' },
  http: { standard: DEFAULT_HTTP_PORT, flag: '--http-port', of: 'this machine' },
} as const;

interface Asked {
  readonly port?: number | undefined;
  readonly httpPort?: number | undefined;
}

type OnProblem = ((message: string) => void) | undefined;

export class RelayPorts {
  readonly #dataDir: string;
  readonly #asked: Readonly<Record<PortUse, number | undefined>>;
  readonly #onProblem: OnProblem;
  #kept: KeptPorts;
  #saving: Promise<void> = Promise.resolve();

  private constructor(dataDir: string, { port, httpPort }: Asked, onProblem: OnProblem, kept: KeptPorts) {
    this.#dataDir = dataDir;
    this.#asked = { https: port, http: httpPort };
    this.#onProblem = onProblem;
    this.#kept = kept;
  }

  static async load(dataDir: string, asked: Asked, onProblem: OnProblem): Promise<RelayPorts> {
    return new RelayPorts(dataDir, asked, onProblem, await loadPorts(dataDir));
  }

  /** What a flag says counts; otherwise the port of the last time, which a pool may need. */
  choice(use: PortUse): PortChoice {
    const { standard, flag } = USES[use];
    const asked = this.#asked[use];
    if (asked !== undefined) return { port: asked, isDefault: false, flag };
    const { port, poolServed } = this.#kept[use] ?? { port: standard, poolServed: false };
    return { port, isDefault: !poolServed, poolServed, flag };
  }

  /** Says loudly when `port`, where the relay listens now, is not the wanted one, and remembers it. */
  note(use: PortUse, port: number): void {
    const wanted = this.choice(use);
    if (port !== wanted.port && wanted.isDefault) this.#onProblem?.(movedTo(use, wanted.port, port));
    // Any free port, as tests and programs ask for it, is none to come back to.
    if (this.#asked[use] === 0 || this.#kept[use]?.port === port) return;
    this.#keep({ ...this.#kept, [use]: { port, poolServed: false } });
  }

  /** A device of a pool is connected. */
  notePool(use: PortUse): void {
    const kept = this.#kept[use];
    if (this.#asked[use] === 0 || kept === undefined || kept.poolServed) return;
    this.#keep({ ...this.#kept, [use]: { ...kept, poolServed: true } });
  }

  /** Resolves once everything noted is on the disk, or could not be written. */
  saved(): Promise<void> {
    return this.#saving;
  }

  #keep(ports: KeptPorts): void {
    this.#kept = ports;
    this.#saving = this.#saving
      .then(() => savePorts(this.#dataDir, ports))
      .catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error);
        this.#onProblem?.(`The relay cannot remember its ports in ${this.#dataDir} (${reason}).`);
      });
  }
}

function movedTo(use: PortUse, wanted: number, port: number): string {
  const { flag, of } = USES[use];
  return (
    `ATTENTION: port ${wanted} is taken by another program, perhaps another relay. ` +
    `For ${of} this relay is at port ${port} instead. To a browser that is another address with a storage of its own: ` +
    `a device that used Palm at port ${wanted} finds nothing of it here. ` +
    `To have port ${wanted}, stop the other program and start the relay again; to choose one, use ${flag} PORT.`
  );
}
