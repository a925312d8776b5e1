// What the unit for systemd and the image say fits the programs that they start.

import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readCommandLine } from '../../../signaling/command-line.ts';
import { DEFAULT_HTTP_PORT, DEFAULT_HTTPS_PORT } from '../../../signaling/relay-ports.ts';

const unit = read('palm.service');
const image = read('Containerfile');
const last = image.slice(image.lastIndexOf('\nFROM '));

it.each([
  ['the unit', (/^ExecStart=(.*)$/mu.exec(unit)?.[1] ?? '').split(' ').slice(1)],
  ['the image', (JSON.parse(/^ENTRYPOINT (.*)$/mu.exec(last)?.[1] ?? '[]') as string[]).slice(1)],
])('%s starts relay and device with flags that there are', (_what, given) => {
  const at = given.findIndex((each) => !each.startsWith('-'));
  const [program = '', ...flags] = given.slice(at);
  // Node's own, for the memory of a device (docs/OPERATING.md).
  for (const flag of given.slice(0, at))
    expect(process.allowedNodeEnvironmentFlags.has(flag.split('=')[0] ?? '')).toBe(true);
  expect(program).toMatch(/\/dist\/cli\/keep\.js$/u);
  expect(readCommandLine(flags)).toMatchObject({ kind: 'run', keep: true, dataDir: expect.any(String) });
});

it('the image runs as a user that is not root, with its data in a volume', () => {
  const [users, volumes] = [last.match(/^USER .*$/gmu), last.match(/^VOLUME .*$/gmu)];
  expect([users, volumes]).toEqual([['USER node'], ['VOLUME /data']]);
  expect(last).toContain(`EXPOSE ${DEFAULT_HTTP_PORT} ${DEFAULT_HTTPS_PORT}`);
  expect(last).toContain(`http://127.0.0.1:${DEFAULT_HTTP_PORT}/`);
  // Nothing of the build but what runs.
  expect(last.match(/^COPY .*$/gmu)?.every((line) => line.startsWith('COPY --from=build '))).toBe(true);
});

it('the unit gives the device its state folder and nothing else to write', () => {
  for (const line of [
    'DynamicUser=yes',
    'ProtectSystem=strict',
    'StateDirectory=palm',
    'NoNewPrivileges=yes',
  ])
    expect(unit.split('\n')).toContain(line);
  expect(unit).toContain('--data /var/lib/palm/');
});

function read(name: string): string {
  return readFileSync(new URL(`../../../packaging/${name}`, import.meta.url), 'utf8');
}
