// Tokens: what is on the disk opens nothing, and what was revoked, has ended or is of another pool does not
// count.

import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { allows, type NewToken, scopesOf, TokenError, Tokens } from '../../../../src/cli/gateway/tokens.ts';

const [POOL, OTHER_POOL] = ['pool-a', 'pool-b'];
const DAY_MS = 24 * 3_600_000;

let folder: string;
let path: string;
let nowMs: number;
let tokens: Tokens;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palm-tokens-'));
  path = join(folder, 'tokens.json');
  nowMs = 1_800_000_000_000;
  tokens = reopened();
});

afterEach(() => rmSync(folder, { recursive: true }));

it('counts in its own pool, after a restart too', () => {
  const { token, status } = tokens.create(scanner(), POOL);
  expect(token).toMatch(/^palm_[\w-]{43}$/u);
  expect(reopened().check(token, POOL)).toEqual(status);
  expect(tokens.check(token, OTHER_POOL)).toBeUndefined();
  expect(tokens.list(OTHER_POOL)).toEqual([]);
});

it('is on the disk as the hash of its 32 bytes, for its user alone', () => {
  const { token } = tokens.create(scanner(), POOL);
  const secret = Buffer.from(token.slice('palm_'.length), 'base64url');
  const file = readFileSync(path, 'utf8');
  expect(secret).toHaveLength(32);
  expect(file).toContain(createHash('sha256').update(secret).digest('hex'));
  for (const form of [token, secret.toString('base64url'), secret.toString('hex'), secret.toString('base64')])
    expect(file).not.toContain(form);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['tokens.json']);
  expect(JSON.stringify(tokens.list(POOL))).not.toContain(createHash('sha256').update(secret).digest('hex'));
});

it.each(['name', 'id'] as const)('does not count once it was removed by its %s', (key) => {
  const { token, status } = tokens.create(scanner(), POOL);
  expect(() => tokens.remove(status[key], OTHER_POOL)).toThrow(TokenError);
  expect(tokens.check(token, POOL)).toEqual(status);
  tokens.remove(status[key], POOL);
  expect(tokens.check(token, POOL)).toBeUndefined();
  expect(reopened().check(token, POOL)).toBeUndefined();
});

it('does not count once it ended, nor when the clock is set back after', () => {
  const { token } = tokens.create({ ...scanner(), expiresInMs: DAY_MS }, POOL);
  nowMs += DAY_MS - 1;
  expect(tokens.check(token, POOL)).toBeDefined();
  nowMs += 1;
  expect(tokens.check(token, POOL)).toBeUndefined();
  nowMs -= DAY_MS;
  expect(tokens.check(token, POOL)).toBeUndefined();
  expect(reopened().check(token, POOL)).toBeUndefined();
});

it('does not count while the clock shows a time before it was made, and again after', () => {
  const { token } = tokens.create({ ...scanner(), expiresInMs: DAY_MS }, POOL);
  const endless = tokens.create({ ...scanner(), name: 'endless' }, POOL);
  nowMs -= 1;
  expect(reopened().check(token, POOL)).toBeUndefined();
  expect(reopened().check(endless.token, POOL)).toBeDefined();
  nowMs += 1;
  expect(reopened().check(token, POOL)).toBeDefined();
});

it('removes all when its device leaves', () => {
  const { token } = tokens.create(scanner(), POOL);
  tokens.removeAll();
  expect(tokens.check(token, POOL)).toBeUndefined();
  expect(existsSync(path)).toBe(false);
});

it('ends a token even when the disk takes no change', () => {
  const { token } = tokens.create(scanner(), POOL);
  mkdirSync(`${path}.new`);
  expect(() => tokens.remove('scanner', POOL)).toThrow('EISDIR');
  expect(tokens.check(token, POOL)).toBeUndefined();
});

it('makes no token that the disk did not take', () => {
  mkdirSync(`${path}.new`);
  expect(() => tokens.create(scanner(), POOL)).toThrow('EISDIR');
  expect(tokens.list(POOL)).toEqual([]);
});

describe('with a file that it cannot read', () => {
  it.each([
    ['cut short', (file: string) => file.slice(0, -20)],
    ['of a newer version', (file: string) => file.replace('"version":1', '"version":2')],
    ['without a hash', (file: string) => file.replace(/"hash":"\w+"/u, '"hash":""')],
    ['of a scope that is unknown', (file: string) => file.replace('"read"', '"all"')],
  ])('counts none that is %s, and leaves the file as it is', (_what, change) => {
    const { token } = tokens.create(scanner(), POOL);
    const changed = change(readFileSync(path, 'utf8'));
    writeFileSync(path, changed);
    const later = reopened();
    expect(later.check(token, POOL)).toBeUndefined();
    expect(() => later.create({ ...scanner(), name: 'other' }, POOL)).toThrow('cannot be read');
    expect(readFileSync(path, 'utf8')).toBe(changed);
  });
});

it.each([
  '',
  'palm_',
  'x'.repeat(100_000),
  `palm_${'A'.repeat(42)}`,
  `palm_${'A'.repeat(43)}`,
  `palm_${'é'.repeat(43)}`,
])('refuses what is no token of it: %.12s', (given) => {
  tokens.create(scanner(), POOL);
  expect(tokens.check(given, POOL)).toBeUndefined();
});

it.each<[string, Partial<NewToken>]>([
  ['without a name', { name: '' }],
  ['with a line break in its name', { name: 'a\nb' }],
  ['without a scope', { scopes: [] }],
  ['that ends at once', { expiresInMs: 0 }],
  ['that ends nowhere', { expiresInMs: Number.NaN }],
  ['of a name that is taken', { name: 'taken' }],
])('makes none %s', (_what, part) => {
  tokens.create({ ...scanner(), name: 'taken' }, POOL);
  expect(() => tokens.create({ ...scanner(), ...part }, POOL)).toThrow(TokenError);
  expect(tokens.list(POOL)).toHaveLength(1);
});

it('keeps a bounded number', () => {
  for (let at = 0; at < 100; at++) tokens.create({ ...scanner(), name: `token ${at}` }, POOL);
  expect(() => tokens.create(scanner(), POOL)).toThrow(TokenError);
});

it('gives what its scopes say, and nothing else', () => {
  const may = (scopes: string): boolean[] => {
    const { status } = tokens.create({ name: scopes, scopes: scopesOf(scopes) }, POOL);
    return [allows(status, 'read'), allows(status, 'add'), allows(status, 'admin')];
  };
  expect(may('read')).toEqual([true, false, false]);
  expect(may('add')).toEqual([false, true, false]);
  expect(may('admin')).toEqual([true, true, true]);
  expect(tokens.create({ name: 'both', scopes: scopesOf('add, read') }, POOL).status.scopes).toEqual([
    'read',
    'add',
  ]);
  expect(() => scopesOf('write')).toThrow(TokenError);
});

function reopened(): Tokens {
  return new Tokens(path, () => nowMs);
}

function scanner(): NewToken {
  return { name: 'scanner', scopes: ['read'] };
}
