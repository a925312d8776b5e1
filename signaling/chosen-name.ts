// The name that somebody chose for their relay, kept beside the certificates: a browser's storage belongs to
// it, so it is the same at each start, whether --name is given again or not.
//
// Invariants: a name that once was this relay's is never exchanged for another by itself; only one that was
// never its own gives way to another machine's (RFC 6762, section 9). Names of before are answered to still,
// for the devices whose storage belongs to them. What is kept is on the disk before anybody is sent there.

import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLocalName } from '../src/core/model/relay-name.ts';
import { placeFile } from './certificate-store.ts';
import { StartError } from './start-error.ts';

const NAME_FILE = 'name.json';
/** How many names of before are answered to: each is a probe and a service of its own. */
const MAX_BEFORE = 4;
/** The last number tried: on a network with so many of one name something else is wrong. */
const LAST_NUMBER = 9;

interface Kept {
  /** As it was asked for. */
  readonly asked: string;
  /** `asked`, or the next one that was free. */
  readonly name: string;
  /** Nobody else answered to it when it was taken, so that devices may have been sent there. */
  readonly isOwn: boolean;
  readonly before: readonly string[];
}

export class ChosenName {
  readonly #dataDir: string;
  #kept: Kept;

  private constructor(dataDir: string, kept: Kept) {
    this.#dataDir = dataDir;
    this.#kept = kept;
  }

  /**
   * Undefined where nobody ever chose one. `asked`: now, by --name. `before`: the name that the relay has
   * without one, if it may have been used. @throws StartError when the file cannot be read.
   */
  static async load(
    dataDir: string,
    asked: string | undefined,
    before: string | undefined,
  ): Promise<ChosenName | undefined> {
    const kept = await readKept(dataDir);
    if (asked === undefined) return kept === undefined ? undefined : new ChosenName(dataDir, kept);
    if (kept !== undefined && (kept.asked === asked || kept.name === asked))
      return new ChosenName(dataDir, kept);
    const had = kept === undefined ? [before] : [...(kept.isOwn ? [kept.name] : []), ...kept.before];
    const names = had.flatMap((name) => (name === undefined ? [] : [name]));
    return new ChosenName(dataDir, {
      asked,
      name: asked,
      isOwn: names.includes(asked),
      before: names.filter((name) => name !== asked).slice(0, MAX_BEFORE),
    });
  }

  get name(): string {
    return this.#kept.name;
  }

  get isOwn(): boolean {
    return this.#kept.isOwn;
  }

  get before(): readonly string[] {
    return this.#kept.before;
  }

  /** Another machine has this one. False when there is none left to try. */
  takeNext(): boolean {
    const { asked, name } = this.#kept;
    const label = asked.slice(0, -'.local'.length);
    const number = name === asked ? 2 : Number(name.slice(label.length + 1, -'.local'.length)) + 1;
    if (number > LAST_NUMBER) return false;
    this.#kept = { ...this.#kept, name: `${label}-${number}.local` };
    return true;
  }

  /** Nobody else has it. @throws StartError when that cannot be written. */
  async own(): Promise<void> {
    this.#kept = { ...this.#kept, isOwn: true };
    await this.save();
  }

  async save(): Promise<void> {
    try {
      await mkdir(this.#dataDir, { recursive: true, mode: 0o700 });
      await placeFile(join(this.#dataDir, NAME_FILE), `${JSON.stringify(this.#kept)}\n`);
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      throw new StartError(`The relay cannot keep its name in ${this.#dataDir} (${reason}).`, { cause });
    }
  }
}

async function readKept(dataDir: string): Promise<Kept | undefined> {
  const path = join(dataDir, NAME_FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw new StartError(`The relay's name in ${path} cannot be read.`, { cause: error });
  }
  const kept = decode(text);
  if (kept !== undefined) return kept;
  // To go on under another name would show every device an empty Palm.
  throw new StartError(
    `${path} does not hold the relay's name any more. Files in your pools are not touched by this. Delete that file, ` +
      'and start the relay with --name and the name that your devices open.',
  );
}

function decode(text: string): Kept | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const field = (key: string): unknown => Reflect.get(value, key);
  const [asked, name, isOwn, before] = [field('asked'), field('name'), field('isOwn'), field('before')];
  if (!isName(asked) || !isName(name) || typeof isOwn !== 'boolean') return undefined;
  if (!Array.isArray(before) || before.length > MAX_BEFORE || !before.every(isName)) return undefined;
  // The next of `asked`: see takeNext.
  const isNext = name.startsWith(`${asked.slice(0, -'.local'.length)}-`) && /-[2-9]\.local$/u.test(name);
  return name === asked || isNext ? { asked, name, isOwn, before } : undefined;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && isLocalName(value);
}
