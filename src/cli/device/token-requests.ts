// The requests about tokens on the device's socket.

import { fieldsOf } from '../../core/encoding/decode.ts';
import { PalmError } from '../../core/model/errors.ts';
import type { Palm } from '../../runtime/api.ts';
import { scopesOf, type Tokens, type TokenStatus } from '../gateway/tokens.ts';
import { words } from '../words.ts';

/** @throws PalmError 'not-in-pool', 'bad-message'; TokenError; the system's error. */
export function createToken(tokens: Tokens, palm: Palm, body: unknown): TokenStatus & { token: string } {
  const { name, scopes, expiresInMs } = fieldsOf(body, ['name', 'scopes', 'expiresInMs']);
  const wanted = {
    name: textOf(name),
    scopes: scopesOf(textOf(scopes)),
    ...(typeof expiresInMs === 'number' ? { expiresInMs } : {}),
  };
  const { token, status } = tokens.create(wanted, poolOf(palm));
  return { token, ...status };
}

export function listTokens(tokens: Tokens, palm: Palm): readonly TokenStatus[] {
  return tokens.list(poolOf(palm));
}

export function removeToken(tokens: Tokens, palm: Palm, body: unknown): TokenStatus {
  return tokens.remove(textOf(fieldsOf(body, ['which'])['which']), poolOf(palm));
}

function poolOf(palm: Palm): string {
  const { pool } = palm.status();
  if (pool === undefined)
    throw new PalmError({ code: 'not-in-pool', reason: 'in-none' }, { message: words.notInPool });
  return pool.id;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
