// The code that the shell draws of an invite, with the address at which the device answers by itself.

import { afterEach, expect, it, vi } from 'vitest';
import { printInvite } from '../../../src/cli/commands/pool-commands.ts';
import vectors from '../../vectors/direct.json' with { type: 'json' };

/** What `palm invite` makes of a pool whose log forked never. */
const TICKET_CHARS = 320;
const COLUMNS = 80;
const COLOUR = new RegExp(String.raw`\x1b\[[\d;]*m`, 'gu');

afterEach(() => void vi.restoreAllMocks());

it('fits a terminal of 80 columns', () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
  const invite = `https://palm-3f9a.local:8443/#/join/${'Ab3_'.repeat(TICKET_CHARS / 4)}`;
  printInvite(invite + vectors.text.slice(0, -10), true);
  const [, code = ''] = written;
  const lines = code.replaceAll(COLOUR, '').trim().split('\n');
  expect(lines.length).toBeGreaterThan(30);
  for (const line of lines) expect(line.trimStart().length + 2).toBeLessThanOrEqual(COLUMNS);
});
