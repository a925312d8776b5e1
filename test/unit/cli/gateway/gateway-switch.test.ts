// Whether a device has a gateway: not until it is turned on, then after a restart too, and never without the
// device because of it.

import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { GatewayError, GatewaySwitch } from '../../../../src/cli/device/gateway-switch.ts';
import { openDeviceLog } from '../../../../src/cli/operations/device-log.ts';
import type { GatewayDevice } from '../../../../src/cli/gateway/gateway.ts';

let folder: string;
let file: string;
let gateway: GatewaySwitch;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'palm-switch-'));
  file = join(folder, 'gateway.json');
  gateway = new GatewaySwitch(DEVICE, file);
});

afterEach(async () => {
  await gateway.close();
  rmSync(folder, { recursive: true });
});

it('is off until it is turned on, and then at the same place after a restart', async () => {
  await gateway.restore();
  const { url, isOpen } = await gateway.turnOn({ port: 0 });
  expect([url, isOpen]).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/$/u), false]);
  expect(await answers(url)).toBe(true);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await gateway.close();
  expect(await answers(url)).toBe(false);
  gateway = new GatewaySwitch(DEVICE, file);
  await gateway.restore();
  expect(await answers(url)).toBe(true);
  await gateway.turnOff();
  expect(await answers(url)).toBe(false);
  await new GatewaySwitch(DEVICE, file).restore();
  expect(await answers(url)).toBe(false);
});

it('stays as it was when a wish cannot be met', async () => {
  const { url } = await gateway.turnOn({ port: 0 });
  const before = readFileSync(file, 'utf8');
  for (const wish of [
    { host: '0.0.0.0' },
    { host: '::' },
    { port: 1.5 },
    { port: 70_000 },
    { host: '203.0.113.1' },
  ])
    await expect(gateway.turnOn(wish)).rejects.toThrow(GatewayError);
  expect(readFileSync(file, 'utf8')).toBe(before);
  expect(await answers(url)).toBe(true);
});

it('is not turned on by a file that it cannot read', async () => {
  writeFileSync(file, '{"host":');
  await gateway.restore();
  const { url } = await gateway.turnOn({ port: 0 });
  expect(await answers(url)).toBe(true);
});

it('says that others can read what passes', async () => {
  expect(await gateway.turnOn({ port: 0, host: '0.0.0.0', name: 'nas.local' })).toEqual({
    url: expect.stringMatching(/^http:\/\/nas\.local:\d+\/$/u),
    isOpen: true,
  });
});

const DEVICE = {
  palm: { status: () => ({ files: [] }), subscribe: () => () => undefined },
  tokens: { check: () => undefined },
  log: openDeviceLog('silent', { write: () => undefined }),
  metrics: { answered: () => undefined },
} as unknown as GatewayDevice; // the part that is called

async function answers(url: string): Promise<boolean> {
  try {
    await fetch(url);
    return true;
  } catch {
    return false;
  }
}
