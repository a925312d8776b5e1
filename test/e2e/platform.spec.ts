// What the built code calls and old browsers lack is what the platform check looks for.
//
// The names come from the built JavaScript: members of the language's globals (`URL.canParse`), and names of
// methods that no older built-in has (`toSorted`), in which the receiver's type plays no part. When they came
// is in core-js-compat's table, and for `AbortSignal`, which it lacks, below.

import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { parseSync, Visitor } from 'oxc-parser';
import { checkPlatform, NEEDED_FUNCTIONS } from '../../src/ui/platform-check.ts';
import { expect, test } from './palm-fixture.ts';

/** Safari of 2020: every browser that has the rest of what Palm needs has what this one had. */
const OLD_SAFARI = 14;
/** Browsers below these have no Ed25519 keys, without which there is no device. */
const SMALLEST = { chrome: 137, firefox: 129, safari: 17 };

/** Methods and fields of Palm's and its libraries' own objects, whose names the language has used since. */
const OWN = new Set(
  'cause chunks constructor delete dispose drop has immediate isError join size stack take transfer'.split(
    ' ',
  ),
);
/** Called only where they are there. */
const OPTIONAL = new Set(['toBase64', 'Symbol.dispose']);
/** Old ones: the table has the date of a mended detail. */
const MENDED = new Set(['finally', 'push', 'stringify', 'unshift']);

interface Versions {
  readonly safari?: string;
  readonly chrome?: string;
  readonly firefox?: string;
}

const ABORT_SIGNAL: Readonly<Record<string, Versions>> = {
  'abort-signal.abort': { safari: '15.0', chrome: '93', firefox: '88' },
  'abort-signal.any': { safari: '17.4', chrome: '116', firefox: '124' },
  'abort-signal.timeout': { safari: '16.0', chrome: '124', firefox: '100' },
};

test('the platform check knows every young function that the built code calls', ({ relay }) => {
  expect(relay.app, 'the relay has built the app').toContain('http');
  const called = new Set(calledNames());
  const needed = [...youngFunctions()].filter(([name]) => called.has(name)).map(([, { path }]) => path);
  expect(called.size).toBeGreaterThan(500);
  expect(needed.toSorted()).toEqual(NEEDED_FUNCTIONS.toSorted());
});

test('no function that it needs is younger than the smallest supported browsers', () => {
  const young = new Map([...youngFunctions().values()].map(({ path, versions }) => [path, versions]));
  for (const path of NEEDED_FUNCTIONS) {
    const { safari = '99', chrome = '999', firefox = '999' } = young.get(path) ?? {};
    const isSupported =
      Number(safari) <= SMALLEST.safari &&
      Number(chrome) <= SMALLEST.chrome &&
      Number(firefox) <= SMALLEST.firefox;
    expect([path, isSupported]).toEqual([path, true]);
  }
});

test('a browser that lacks one is told which', async ({ prepareDevice }) => {
  const phone = await prepareDevice('Old phone');
  await phone.context.addInitScript(() => {
    Reflect.deleteProperty(Array.prototype, 'toSorted');
  });
  const page = await phone.context.newPage();
  await page.goto(phone.appUrl);
  await expect(page.getByRole('alert')).toContainText('Array.prototype.toSorted()');
  expect(checkPlatform(globalThis).kind).not.toBe('fit');
});

/** Names behind a dot in the app and its workers, with their global where it is one: `at`, `URL.canParse`. */
function calledNames(): string[] {
  const assets = new URL('../../dist/app/assets/', import.meta.url);
  const names: string[] = [];
  for (const file of readdirSync(assets).filter((name) => name.endsWith('.js'))) {
    const { program } = parseSync(file, readFileSync(new URL(file, assets), 'utf8'));
    new Visitor({
      MemberExpression: ({ computed, object, property }) => {
        if (computed || property.type !== 'Identifier') return;
        names.push(property.name);
        if (object.type === 'Identifier') names.push(`${object.name}.${property.name}`);
      },
    }).visit(program);
  }
  return names;
}

/** By the name that shows a call of it: functions that browsers of 2020 lack. */
function youngFunctions(): Map<string, { readonly path: string; readonly versions: Versions }> {
  const require = createRequire(import.meta.url);
  const table: Record<string, Versions> = require('core-js-compat/data.json');
  const found = new Map<string, { path: string; versions: Versions }>();
  const old = new Set<string>();
  for (const [key, versions] of Object.entries({ ...table, ...ABORT_SIGNAL })) {
    const [owner = '', member] = key.replace(/^(?:es|web)\./u, '').split('.');
    if (key.startsWith('esnext.') || member === undefined) continue;
    const name = camelCase(member);
    if (Number(versions.safari ?? '99') <= OLD_SAFARI) old.add(name);
    else if (isStatic(owner, name)) {
      const path = `${globalName(owner)}.${name}`;
      found.set(path, { path, versions });
    } else if (!found.has(name))
      found.set(name, { path: `${globalName(owner)}.prototype.${name}`, versions });
  }
  for (const name of [...old, ...OWN, ...OPTIONAL, ...MENDED]) found.delete(name);
  return found;
}

/** Whether this very engine has it on the global itself. */
function isStatic(owner: string, name: string): boolean {
  const holder: unknown = Reflect.get(globalThis, globalName(owner));
  return (
    owner === 'abort-signal' || (typeof holder === 'function' && name in holder) || STATIC_ONLY.has(name)
  );
}

/** Static functions that Node lacks. */
const STATIC_ONLY = new Set([
  'withResolvers',
  'try',
  'fromAsync',
  'groupBy',
  'parse',
  'fromBase64',
  'fromHex',
  'escape',
]);

function globalName(owner: string): string {
  return owner === 'url' ? 'URL' : camelCase(`-${owner}`);
}

function camelCase(name: string): string {
  return name.replaceAll(/-([a-z0-9])/gu, (_whole, letter: string) => letter.toUpperCase());
}
