// Reads the test runners' JSON reports of a finished run: test/run.mjs counts from these, never from the text
// on the terminal.

import { readFileSync } from 'node:fs';

/**
 * @typedef {{ passed: number, failures: string[], skipped: number, reasons: string[] }} Tally failures are
 * sentences or test names; reasons say why tests were skipped, where the tests give one
 *
 * The parts read here of Vitest's report and of Playwright's:
 * @typedef {{ name: string, status: string, message: string, assertionResults: VitestTest[] }} VitestFile
 * @typedef {{ status: string, fullName: string }} VitestTest
 * @typedef {{ type: string, description?: string }} Annotation
 * @typedef {{ status: string, projectName: string, annotations: Annotation[] }} PlaywrightTest
 * @typedef {{ title: string, tests: PlaywrightTest[] }} PlaywrightSpec
 * @typedef {{ title: string, specs?: PlaywrightSpec[], suites?: PlaywrightSuite[] }} PlaywrightSuite
 */

/**
 * @param {string} path
 * @returns {Tally}
 */
export function readVitest(path) {
  /**
   * @type {{ testResults: VitestFile[], numPassedTests: number, numPendingTests: number, numTodoTests: number
   * }}
   */
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const failures = [];
  for (const file of report.testResults) {
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    failures.push(...failed.map(({ fullName }) => fullName));
    // A file that cannot be loaded has no tests to blame.
    if (file.status === 'failed' && failed.length === 0) failures.push(`${file.name}: ${file.message}`);
  }
  const skipped = report.numPendingTests + report.numTodoTests;
  return { passed: report.numPassedTests, failures, skipped, reasons: [] };
}

/**
 * @param {string} path
 * @returns {Tally}
 */
export function readPlaywright(path) {
  /**
   * @type {{ suites: PlaywrightSuite[], errors: { message?: string }[], stats: { expected: number, skipped:
   * number } }}
   */
  const report = JSON.parse(readFileSync(path, 'utf8'));
  const failures = report.errors.map(({ message }) => firstLine(message ?? 'an error without a message'));
  for (const suite of report.suites) failures.push(...failuresOf(suite, [suite.title]));
  const reasons = report.suites.flatMap(reasonsOf);
  return { passed: report.stats.expected, failures, skipped: report.stats.skipped, reasons };
}

/** @param {string} text */
export function firstLine(text) {
  return text.trimStart().split('\n')[0] ?? '';
}

/**
 * @param {PlaywrightSuite} suite
 * @param {string[]} names of the suite and its parents
 * @returns {string[]}
 */
function failuresOf(suite, names) {
  const own = (suite.specs ?? []).flatMap(({ title, tests }) =>
    tests
      .filter(({ status }) => status === 'unexpected' || status === 'flaky')
      .map(({ projectName }) => `[${projectName}] ${[...names, title].join(' > ')}`),
  );
  return [...own, ...(suite.suites ?? []).flatMap((inner) => failuresOf(inner, [...names, inner.title]))];
}

/**
 * @param {PlaywrightSuite} suite
 * @returns {string[]}
 */
function reasonsOf(suite) {
  const own = (suite.specs ?? []).flatMap(({ title, tests }) =>
    tests
      .filter(({ status }) => status === 'skipped')
      .map(({ annotations }) => {
        const reason = annotations.find(({ type }) => type === 'skip')?.description;
        return `${title}: ${reason ?? 'no reason is given'}`;
      }),
  );
  return [...own, ...(suite.suites ?? []).flatMap(reasonsOf)];
}
