// Tokens by which programs use this device: what each may do, for which pool, and until when.
//
// Invariants: the file has hashes only, is this user's alone, and is replaced as a whole; a token counts for
// the pool in which it was made, and for no other; one that ended does not count again when a clock is set
// back, because it is taken from the file as soon as its end was seen.

import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { words } from '../words.ts';

/**
 * Read: list and read files. Add: store new ones, without seeing any. Admin: both, and removing what the
 * device may remove.
 */
export const SCOPES = ['read', 'add', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** A token without its secret. */
export interface TokenStatus {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAtMs: number;
  /** Absent: it does not end by itself. */
  readonly expiresAtMs?: number;
}

/** As in the file. */
interface KeptToken extends TokenStatus {
  readonly poolId: string;
  /** SHA-256 of the secret, in hex. */
  readonly hash: string;
}

export interface NewToken {
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly expiresInMs?: number;
}

/** A request about tokens that cannot be met, in words for people. */
export class TokenError extends Error {}

const PREFIX = 'palm_';
const SECRET_BYTES = 32;
/** The prefix, and 32 bytes in base64url. Whoever scans for leaked secrets finds it. */
const TOKEN = /^palm_[\w-]{43}$/u;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,63}$/u;
/** More programs than a household has; each request is compared with all of them. */
const MAX_TOKEN_COUNT = 100;
const VERSION = 1;

export class Tokens {
  readonly #path: string;
  readonly #now: () => number;
  /** Undefined: the file cannot be read. It is left as it is, and no token counts. */
  #read: readonly KeptToken[] | undefined;

  constructor(path: string, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
    this.#read = read(path);
  }

  /** The token itself, which is nowhere else. @throws TokenError; the system's error. */
  create({ name, scopes, expiresInMs }: NewToken, poolId: string): { token: string; status: TokenStatus } {
    this.#dropEnded();
    if (!NAME.test(name)) throw new TokenError(words.token.badName);
    if (scopes.length === 0) throw new TokenError(words.token.noScope);
    if (expiresInMs !== undefined && !(expiresInMs > 0)) throw new TokenError(words.token.endsAtOnce);
    if (this.#kept.some((kept) => kept.name === name && kept.poolId === poolId))
      throw new TokenError(words.token.nameTaken(name));
    if (this.#kept.length >= MAX_TOKEN_COUNT) throw new TokenError(words.token.tooMany(MAX_TOKEN_COUNT));
    const secret = randomBytes(SECRET_BYTES);
    const nowMs = this.#now();
    const kept: KeptToken = {
      id: randomBytes(6).toString('hex'),
      name,
      scopes: SCOPES.filter((scope) => scopes.includes(scope)),
      poolId,
      hash: hashOf(secret).toString('hex'),
      createdAtMs: nowMs,
      ...(expiresInMs === undefined ? {} : { expiresAtMs: nowMs + expiresInMs }),
    };
    this.#keep([...this.#kept, kept]);
    return { token: PREFIX + secret.toString('base64url'), status: statusOf(kept) };
  }

  /** Those of a pool, in the order in which they were made. */
  list(poolId: string): readonly TokenStatus[] {
    this.#dropEnded();
    return this.#kept.filter((kept) => kept.poolId === poolId).map(statusOf);
  }

  /** By name or id. @throws TokenError when the pool has none; the system's error. */
  remove(which: string, poolId: string): TokenStatus {
    const found = this.#kept.find(
      ({ id, name, poolId: of }) => of === poolId && (id === which || name === which),
    );
    if (found === undefined) throw new TokenError(words.token.unknown(which));
    // It ends here and now, whatever the disk says.
    this.#read = this.#kept.filter((kept) => kept !== found);
    this.#keep(this.#read);
    return statusOf(found);
  }

  /** What a token is, if it counts in this pool now. Each comparison takes equally long. */
  check(token: string, poolId: string): TokenStatus | undefined {
    if (!TOKEN.test(token) || this.#read === undefined) return undefined;
    const hash = hashOf(Buffer.from(token.slice(PREFIX.length), 'base64url'));
    let found: KeptToken | undefined;
    for (const kept of this.#read) if (timingSafeEqual(Buffer.from(kept.hash, 'hex'), hash)) found = kept;
    if (found === undefined || found.poolId !== poolId || this.#isUndatable(found)) return undefined;
    if (!this.#hasEnded(found)) return statusOf(found);
    this.#read = this.#read.filter((kept) => kept !== found);
    try {
      this.#keep(this.#read);
    } catch {
      // The next change of the file takes it out.
    }
    return undefined;
  }

  /** After the device left its pool. */
  removeAll(): void {
    this.#read = [];
    rmSync(this.#path, { force: true });
  }

  /** @throws TokenError. */
  get #kept(): readonly KeptToken[] {
    if (this.#read === undefined) throw new TokenError(words.token.badFile(this.#path));
    return this.#read;
  }

  #hasEnded({ expiresAtMs }: KeptToken): boolean {
    return expiresAtMs !== undefined && expiresAtMs <= this.#now();
  }

  /** Whether the clock shows a time before the token was made: then nobody knows whether its end is past. */
  #isUndatable({ createdAtMs, expiresAtMs }: KeptToken): boolean {
    return expiresAtMs !== undefined && this.#now() < createdAtMs;
  }

  #dropEnded(): void {
    const kept = this.#kept.filter((each) => !this.#hasEnded(each));
    if (kept.length < this.#kept.length) this.#keep(kept);
  }

  /** Durable before it counts, so that no token outlives its removal. */
  #keep(kept: readonly KeptToken[]): void {
    const path = `${this.#path}.new`;
    const file = openSync(path, 'w', 0o600);
    try {
      writeSync(file, `${JSON.stringify({ version: VERSION, tokens: kept })}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(path, this.#path);
    this.#read = kept;
  }
}

/** Whether a token with these scopes may do what needs `scope`. */
export function allows({ scopes }: TokenStatus, scope: Scope): boolean {
  return scopes.includes(scope) || scopes.includes('admin');
}

/** Such as "read,add". @throws TokenError. */
export function scopesOf(text: string): Scope[] {
  return text.split(',').map((given) => {
    const scope = SCOPES.find((each) => each === given.trim());
    if (scope === undefined) throw new TokenError(words.token.badScope(given));
    return scope;
  });
}

function statusOf({ id, name, scopes, createdAtMs, expiresAtMs }: KeptToken): TokenStatus {
  return { id, name, scopes, createdAtMs, ...(expiresAtMs === undefined ? {} : { expiresAtMs }) };
}

function hashOf(secret: Uint8Array): Buffer {
  return createHash('sha256').update(secret).digest();
}

function read(path: string): KeptToken[] | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null || !('version' in value) || !('tokens' in value))
      return undefined;
    const { version, tokens } = value;
    return version === VERSION && Array.isArray(tokens) && tokens.every(isKept) ? tokens : undefined;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? [] : undefined;
  }
}

function isKept(value: unknown): value is KeptToken {
  if (typeof value !== 'object' || value === null) return false;
  const { id, name, scopes, poolId, hash, createdAtMs, expiresAtMs } = value as Record<string, unknown>;
  return (
    [id, name, poolId].every((text) => typeof text === 'string') &&
    typeof hash === 'string' &&
    /^[0-9a-f]{64}$/u.test(hash) &&
    Array.isArray(scopes) &&
    scopes.every((scope) => SCOPES.some((known) => known === scope)) &&
    typeof createdAtMs === 'number' &&
    (expiresAtMs === undefined || typeof expiresAtMs === 'number')
  );
}
