// `palm doctor` as a program: where no device runs, where the relay is down or has another time, where the
// folder cannot be written; and in a LAN of namespaces, where hosts are kept apart or cut off.

import { spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Lan, type LanHost, whyNoLan } from '../../fixtures/lan.ts';
import { IS_LONG } from '../../scale.ts';
import { PalmPrograms } from '../../fixtures/palm-program.ts';
import { bundleRelay } from '../../fixtures/relay-program.ts';

interface Line {
  readonly what: string;
  readonly isFine: boolean;
  readonly detail: string;
  readonly state: string;
  readonly reason: string;
  readonly way?: string;
}

const programs = new PalmPrograms();
const folder = mkdtempSync(join(tmpdir(), 'palm-doctor-'));
const noLan = whyNoLan();
const LONGEST_MS = 300_000;

let bundle = { folder: '', remove: (): void => undefined };

beforeAll(async () => {
  await programs.build();
  bundle = await bundleRelay();
}, 120_000);

afterAll(async () => {
  await programs.end();
  bundle.remove();
  rmSync(folder, { recursive: true, force: true });
});

describe('where no device runs', () => {
  test('it says so, starts none, and names the relay that is down', async () => {
    const { code, stdout, stderr } = await programs.run('nobody', ['doctor']);
    const told = String(stdout);
    expect(code).toBe(8);
    expect(told).toMatch(/^! device: It does not run\./m);
    expect(told).toMatch(
      /^✗ Relay: The relay’s computer is there, but no relay runs on it\.\n {4}What to do: /m,
    );
    expect(told).toMatch(/^– WebSocket to the relay: Not known while the relay does not answer\./m);
    expect(told).toMatch(/^✓ Direct connections: A data channel was opened here/m);
    expect(told).toMatch(/^✓ Storage: /m);
    expect(told).not.toContain('Other devices');
    expect(stderr).toContain('One thing needs attention.');
    expect(existsSync(programs.data('nobody'))).toBe(false);
  });

  test('as data it has the same lines, and a report has no path, name or address', async () => {
    const { code, stdout } = await programs.run('nobody', ['doctor', '--json']);
    const lines = JSON.parse(String(stdout)) as Line[];
    expect(code).toBe(0);
    expect(byReason(lines, 'relay-refused')).toMatchObject({ isFine: false, state: 'blocked' });
    expect(byReason(lines, 'not-running')).toMatchObject({ isFine: true, state: 'limited' });
    const report = String((await programs.run('nobody', ['doctor', '--report'])).stdout);
    expect(report).toMatch(/^Palm connection report, /);
    expect(report).toContain('(relay-refused)');
    expect(report).not.toContain(programs.data(''));
    expect(report).not.toMatch(/localhost|127\.0\.0\.1|\d+\.\d+\.\d+\.\d+/);
  });

  test.skipIf(process.platform !== 'linux')(
    'a folder that nobody can write is told, and how to mend it',
    async () => {
      // Nobody makes a folder there, not even root.
      const lines = linesOf('/proc/palm');
      const line = byReason(lines, 'storage-unwritable');
      expect(line).toMatchObject({ what: 'Storage', isFine: false });
      expect(line.way).toContain('Palm may write to its folder');
    },
  );

  test('settings that cannot be read are no reason to fail', () => {
    writeSettings('torn', '{"relay":');
    expect(byReason(linesOf(join(folder, 'torn')), 'relay-refused').isFine).toBe(false);
  });

  function linesOf(dataPath: string): Line[] {
    const flags = ['doctor', '--json', '--data', dataPath];
    const { stdout } = spawnSync(process.execPath, [programs.main, ...flags], { encoding: 'utf8' });
    return JSON.parse(stdout) as Line[];
  }
});

describe.skipIf(noLan !== undefined)(`in a LAN${noLan === undefined ? '' : `: ${noLan}`}`, () => {
  let lan: Lan | undefined;
  afterEach(() => lan?.close());

  test('a relay whose clock is wrong is told by how much', () => {
    lan = new Lan();
    const [relay, one] = [lan.addHost('relay'), lan.addHost('one')];
    writeSettings('clock', `{"relay":"http://${relay.address}:7000/"}`);
    relay.spawn(process.execPath, ['-e', WRONG_CLOCK], { stdio: 'ignore' });
    const line = byReason(doctor(one, 'clock'), 'clock-differs');
    expect(line).toMatchObject({ what: 'Clock', isFine: false });
    expect(line.detail).toMatch(/^The relay’s clock is two hours ahead of this device’s\./);
  });

  // Two minutes: attempts to link take ten seconds each.
  test.skipIf(!IS_LONG)(
    'it tells devices that work, that are kept apart, and that are cut off (in the long run)',
    { timeout: LONGEST_MS },
    async () => {
      lan = new Lan();
      const [relay, one, two, three] = [
        lan.addHost('relay'),
        lan.addHost('one'),
        lan.addHost('two'),
        lan.addHost('three'),
      ];
      const url = await startRelay(relay);
      const made = palm(one, 'one', ['create', 'Home', '--relay', url]);
      expect(made).toMatchObject({ code: 0 });
      const { invite } = JSON.parse(palm(one, 'one', ['invite', '--json']).output) as { invite: string };
      const file = join(folder, 'invite.txt');
      writeFileSync(file, invite);
      for (const [host, name] of [
        [two, 'two'],
        [three, 'three'],
      ] as const)
        expect(palm(host, name, ['join', file, '--relay', url])).toMatchObject({ code: 0 });
      await expect.poll(() => reasonOf(one, 'one', 'Other devices'), POLL).toBe('links-work');

      const fine = doctor(one, 'one');
      for (const reason of ['relay-answers', 'socket-works', 'candidates-plain', 'loopback-works'])
        expect(byReason(fine, reason).state).toBe('works');
      expect(byReason(fine, 'links-work').detail).toBe('2 devices are connected with this one.');
      expect(byReason(fine, 'clock-agrees').state).toBe('works');
      expect(byReason(fine, 'vpn-no-interface').state).toBe('works');

      one.ip('link', 'add', 'tun0', 'type', 'veth', 'peer', 'name', 'far');
      one.ip('address', 'add', '10.8.0.2/24', 'dev', 'tun0');
      for (const end of ['tun0', 'far']) one.ip('link', 'set', end, 'up');
      expect(byReason(doctor(one, 'one'), 'vpn-interface').detail).toContain('(tun)');
      one.ip('link', 'delete', 'tun0');

      // As in a guest Wi-Fi. What was linked ends; the devices start again, so that nobody waits for that.
      for (const host of [one, two, three]) host.isolate();
      for (const [host, name] of [
        [one, 'one'],
        [two, 'two'],
        [three, 'three'],
      ] as const) {
        palm(host, name, ['stop']);
        palm(host, name, ['status']);
      }
      await expect.poll(() => reasonOf(one, 'one', 'Other devices'), POLL).toBe('links-isolated');
      const apart = doctor(one, 'one');
      const isolated = byReason(apart, 'links-isolated');
      expect(isolated).toMatchObject({ isFine: false, state: 'blocked' });
      expect(isolated.detail).toContain('Your devices reach the relay, but not each other: 2 devices answer');
      expect(isolated.detail).toContain('AP/client isolation or a guest Wi-Fi');
      expect(isolated.way).toContain('Turn off client isolation');
      expect(byReason(apart, 'relay-answers').state).toBe('works');
      // Not only by the end that offers.
      await expect.poll(() => reasonOf(three, 'three', 'Other devices'), POLL).toBe('links-isolated');

      // One of three can be reached again: the finding names the one that cannot.
      two.isolate(false);
      await expect.poll(() => reasonOf(one, 'one', 'Other devices'), POLL).toBe('links-some');

      three.cut();
      const cut = doctor(three, 'three');
      expect(byReason(cut, 'relay-offline')).toMatchObject({ what: 'Relay', isFine: false });
      expect(cut.find(({ what }) => what === 'Other devices')?.reason).toBe('needs-relay');
      expect(cut.find(({ what }) => what === 'WebSocket to the relay')?.reason).toBe('needs-relay');
      expect(byReason(cut, 'loopback-works').state).toBe('works');

      three.mend();
      relay.cut();
      expect(byReason(doctor(three, 'three'), 'relay-silent')).toMatchObject({
        what: 'Relay',
        isFine: false,
      });
      relay.mend();
      for (const host of [one, three]) host.isolate(false);
      await expect.poll(() => reasonOf(one, 'one', 'Other devices'), POLL).toBe('links-work');
    },
  );

  function palm(host: LanHost, name: string, flags: readonly string[]) {
    return host.run(process.execPath, [programs.main, ...flags, '--data', join(folder, name)]);
  }

  function doctor(host: LanHost, name: string): Line[] {
    return JSON.parse(palm(host, name, ['doctor', '--json']).output) as Line[];
  }

  function reasonOf(host: LanHost, name: string, what: string): string | undefined {
    return doctor(host, name).find((line) => line.what === what)?.reason;
  }

  /** Its address for the others. */
  async function startRelay(host: LanHost): Promise<string> {
    const app = join(folder, 'app');
    mkdirSync(app);
    writeFileSync(join(app, 'index.html'), '<!doctype html><title>Tiny</title>');
    const flags = [
      '--json',
      '--no-turn',
      '--port',
      '0',
      '--http-port',
      '0',
      '--app',
      app,
      '--data',
      join(folder, 'relay'),
    ];
    const child: ChildProcess = host.spawn(process.execPath, [join(bundle.folder, 'main.js'), ...flags], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (child.stdout === null) throw new Error('stdout is a pipe');
    const [line] = await once(createInterface(child.stdout), 'line');
    const { lan: urls } = JSON.parse(String(line)) as { lan: readonly string[] };
    return urls[0] ?? '';
  }
});

const POLL = { timeout: 90_000, interval: 500 };
/** Answers as a relay does, two hours ahead. */
const WRONG_CLOCK = `require('http').createServer((request, response) => {
  response.setHeader('Date', new Date(Date.now() + 7200000).toUTCString());
  response.end('{"origin":""}');
}).listen(7000)`;

/** Of the device that lives in the data folder `name`. */
function writeSettings(name: string, text: string): void {
  const device = join(folder, name, 'device');
  mkdirSync(device, { recursive: true });
  writeFileSync(join(device, 'settings.json'), text);
}

function byReason(lines: readonly Line[], reason: string): Line {
  const line = lines.find((each) => each.reason === reason);
  if (line === undefined) throw new Error(`no ${reason} among ${JSON.stringify(lines)}`);
  return line;
}
