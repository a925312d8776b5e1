// Commands about the pool and its devices.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { encodeQR } from 'qr';
import { shownDeviceName } from '../../ui/text/device-name.ts';
import { deviceStateText } from '../../ui/text/device-state.ts';
import { formatBytes } from '../../ui/text/en/units.ts';
import { PLACEMENTS } from '../../core/model/policy.ts';
import { ROLES } from '../../core/model/role.ts';
import { CommandError, EXIT } from '../exit-code.ts';
import { print, printJson, printTable, warn } from '../output.ts';
import { words } from '../words.ts';
import { type CommonFlags, type Context, deviceNamed } from './context.ts';

/** More than any invite with everything that it may be pasted with. */
const MAX_INVITE_BYTES = 64 * 1024;

export async function create(context: Context, name: string, flags: CommonFlags): Promise<void> {
  const device = await context.device();
  await device.create(name, textOrNull(flags['deviceName']), textOrNull(flags['relay']));
  if (context.isJson) printJson({ pool: (await device.status()).pool });
  else print(words.created(name));
}

export async function join(context: Context, given: string, flags: CommonFlags): Promise<void> {
  const invite = await inviteFrom(given);
  const device = await context.device();
  const relay = textOrNull(flags['relay']) ?? originIn(invite);
  const { answered } = await device.join(invite, textOrNull(flags['deviceName']), relay);
  if (context.isJson) printJson({ answered });
  else print(answered ? words.joined : words.joinedAlone);
}

/** `-`: from standard input; the name of a file: from that file; else itself, which others can see. */
export async function inviteFrom(given: string): Promise<string> {
  if (given === '-') return (await text(process.stdin)).trim();
  if (existsSync(given)) {
    const stats = statSync(given);
    if (!stats.isFile() || stats.size > MAX_INVITE_BYTES)
      throw new CommandError(words.isFolder, EXIT.usage, 'bad-invite');
    return readFileSync(given, 'utf8').trim();
  }
  warn(words.inviteInArguments);
  return given;
}

/** The relay of an invite is the server of its address. */
function originIn(invite: string): string | null {
  const address = /https?:\/\/[^\s/]+/u.exec(invite)?.[0];
  return address === undefined || !URL.canParse(address) ? null : new URL(address).origin;
}

/** A household joins by one invite; the screens' choice of one device each suits a link that is sent. */
export const HOUSEHOLD_USES = 10;

const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };

/** Such as "30m", "12h" or "7d". @throws CommandError. */
export function durationMs(given: unknown): number | null {
  const time = textOrNull(given);
  if (time === null) return null;
  const [, count = '', unit = ''] = /^(\d+)([mhd])$/u.exec(time) ?? [];
  const unitMs = UNITS_MS[unit];
  if (unitMs === undefined) throw new CommandError(words.badDuration(time), EXIT.usage);
  return Number(count) * unitMs;
}

export async function showInvite(context: Context, flags: CommonFlags): Promise<void> {
  const uses = typeof flags['uses'] === 'number' ? flags['uses'] : HOUSEHOLD_USES;
  const expiresInMs = durationMs(flags['expires']);
  const device = await context.device();
  const made = await device.invite(textOrNull(flags['role']), uses, expiresInMs);
  if (context.isJson) printJson(made);
  else printInvite(made.invite, process.stdout.isTTY);
}

export function printInvite(url: string, isTerminal: boolean): void {
  print(url);
  if (isTerminal) print(`\n${qrCode(url)}`);
}

/**
 * White on black whatever the terminal's colours: not every camera reads it inverted. A screen has no stains,
 * so the least error correction will do, with which most invites fit a terminal of 80 columns.
 */
function qrCode(url: string): string {
  const lines = encodeQR(url, 'ascii', { border: 2, ecc: 'low' }).trimEnd().split('\n');
  return lines.map((line) => `  \u001B[97;40m${line}\u001B[0m`).join('\n');
}

export async function placement(context: Context, given: unknown): Promise<void> {
  const chosen = textOrNull(given);
  if (chosen !== null && !PLACEMENTS.some((each) => each === chosen))
    throw new CommandError(words.badPlacement(chosen), EXIT.usage);
  const made = await (await context.device()).placement(chosen);
  if (context.isJson) printJson(made);
  else print(words.placement(made.placement));
}

export async function giveRole(context: Context, name: string, role: string): Promise<void> {
  const known = ROLES.find((each) => each === role);
  if (known === undefined) throw new CommandError(words.badRole(role), EXIT.usage);
  const device = await context.device();
  const whom = deviceNamed(await device.status(), name);
  await device.grant(whom.id, known);
  if (context.isJson) printJson({ deviceId: whom.id, role: known });
  else print(words.roleGiven(shownDeviceName(whom.name), known));
}

export async function shutOut(context: Context, name: string): Promise<void> {
  const device = await context.device();
  const whom = deviceNamed(await device.status(), name);
  await device.shutOut(whom.id);
  if (context.isJson) printJson({ deviceId: whom.id });
  else print(words.shutOut(shownDeviceName(whom.name)));
}

/** The code alone is on standard output. */
export async function makeRecoveryCode(context: Context): Promise<void> {
  const made = await (await context.device()).makeRecoveryCode();
  if (context.isJson) {
    printJson(made);
    return;
  }
  print(made.code);
  warn(words.recoveryCode);
}

export async function peers(context: Context): Promise<void> {
  const { devices } = await (await context.device()).status();
  if (context.isJson) {
    printJson(devices);
    return;
  }
  const nowMs = Date.now();
  printTable(
    devices.map((device) => [
      shownDeviceName(device.name),
      deviceStateText(device, nowMs),
      formatBytes(device.heldBytes),
      device.id,
    ]),
  );
}

export async function leave(context: Context, flags: CommonFlags): Promise<void> {
  await (await context.device()).leave(flags['handOver'] === true);
  if (context.isJson) printJson({});
  else print(words.left);
}

export async function stop(context: Context): Promise<void> {
  await (await context.device(false)).stop();
  if (context.isJson) printJson({});
  else print(words.stopped);
}

export async function log(context: Context, flags: CommonFlags): Promise<void> {
  for await (const line of (await context.device()).log()) {
    if (typeof line !== 'object' || line === null) continue;
    if ('kind' in line) {
      if (flags['follow'] !== true) return;
      continue;
    }
    if (context.isJson) printJson(line);
    else {
      const at = 'atMs' in line && typeof line.atMs === 'number' ? new Date(line.atMs).toISOString() : '';
      const level = 'level' in line ? String(line.level) : '';
      print(`${at}  ${level.padEnd(7)}  ${'text' in line ? String(line.text) : ''}`);
    }
  }
}

export function textOrNull(value: unknown): string | null {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : null;
}
