// `npm test` counts by the runners' reports: no failure may be lost on the way to the last line.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPlaywright, readVitest } from '../../reports.mjs';

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'palm-reports-'));
});

afterAll(() => {
  rmSync(folder, { recursive: true });
});

function written(report: unknown): string {
  const path = join(folder, 'report.json');
  writeFileSync(path, JSON.stringify(report));
  return path;
}

test('vitest: failed tests, and files that could not be loaded', () => {
  const report = {
    numPassedTests: 7,
    numPendingTests: 1,
    numTodoTests: 1,
    testResults: [
      {
        name: 'a.test.ts',
        status: 'failed',
        message: '',
        assertionResults: [
          { status: 'passed', fullName: 'adds' },
          { status: 'failed', fullName: 'subtracts' },
        ],
      },
      { name: 'b.test.ts', status: 'failed', message: 'Cannot find module', assertionResults: [] },
      { name: 'c.test.ts', status: 'passed', message: '', assertionResults: [] },
    ],
  };
  expect(readVitest(written(report))).toEqual({
    passed: 7,
    failures: ['subtracts', 'b.test.ts: Cannot find module'],
    skipped: 2,
    reasons: [],
  });
});

test('playwright: failed tests and reasons for skipping at every depth, and errors outside tests', () => {
  const spec = (title: string, status: string, description?: string) => {
    const annotations = description === undefined ? [] : [{ type: 'skip', description }];
    return { title, tests: [{ status, projectName: 'desktop', annotations }] };
  };
  const report = {
    errors: [{ message: 'Timed out waiting for the whole run\n    at somewhere' }],
    stats: { expected: 3, skipped: 2 },
    suites: [
      {
        title: 'main-job.spec.ts',
        specs: [spec('joins', 'expected'), spec('leaves', 'unexpected')],
        suites: [
          {
            title: 'offline',
            specs: [
              spec('reads', 'flaky'),
              spec('stores', 'skipped', 'There is no Firefox.'),
              spec('waits', 'skipped'),
            ],
          },
        ],
      },
    ],
  };
  expect(readPlaywright(written(report))).toEqual({
    passed: 3,
    failures: [
      'Timed out waiting for the whole run',
      '[desktop] main-job.spec.ts > leaves',
      '[desktop] main-job.spec.ts > offline > reads',
    ],
    skipped: 2,
    reasons: ['stores: There is no Firefox.', 'waits: no reason is given'],
  });
});

test('a missing report is not a success', () => {
  expect(() => readVitest(join(folder, 'absent.json'))).toThrow('ENOENT');
});
