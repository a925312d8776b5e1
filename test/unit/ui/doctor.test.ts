// The words of the connection doctor: each reason has its sentences, recorded in
// test/fixtures/public-face/doctor.txt (how: test/fixtures/public-face.ts).

import { describe, expect, test } from 'vitest';
import { diagnose } from '../../../src/core/doctor/diagnosing.ts';
import { SUBJECTS } from '../../../src/core/model/finding.ts';
import { en } from '../../../src/ui/text/en.ts';
import { casesOf, FINE, PAGE, reasonKinds } from '../../fixtures/doctor-facts.ts';
import { committedFace, linesOf } from '../../fixtures/public-face.ts';

const FOUND = reasonKinds().flatMap((kind) =>
  casesOf(kind).flatMap(([what, , change]) =>
    diagnose({ ...FINE, ...change }).filter((finding) => finding.what === what),
  ),
);

test('each sentence is the committed one', () => {
  const lines = FOUND.map((finding) => {
    const { title, text, way } = en.findingText(finding);
    const told = `${finding.reason.kind} (${finding.state}) ${title}: ${text}`;
    return way === undefined ? told : `${told} > ${way}`;
  });
  const text = linesOf([...new Set(lines)]);
  expect(text).toBe(committedFace('doctor', text));
});

describe.each(FOUND.map((finding) => [finding.reason.kind, finding] as const))('%s', (_kind, finding) => {
  const { title, text, way } = en.findingText(finding);

  test('is told in whole sentences', () => {
    expect(title).toMatch(/^\p{Lu}[\p{L} ]+$/u);
    for (const sentence of [text, way ?? 'No.']) {
      expect(sentence).toMatch(/^(?:\p{Lu}|\d|macOS).*\.$/u);
      expect(sentence).not.toMatch(/undefined|NaN|\[object|  /);
    }
  });

  test('has a way round where something blocks', () => {
    if (finding.state === 'blocked') expect(way).toBeDefined();
  });
});

test('isolation is named, with the ways round', () => {
  const [, , change] = casesOf('links-isolated')[0] ?? fail();
  const links = diagnose({ ...FINE, ...change }).find(({ what }) => what === 'links');
  const { text, way = '' } = en.findingText(links ?? fail());
  expect(text).toContain('Your devices reach the relay, but not each other');
  expect(text).toContain('AP/client isolation or a guest Wi-Fi');
  expect(way).toContain('router');
});

test('a report has all that was found, what blocks first', () => {
  const [, , change] = casesOf('links-isolated')[0] ?? fail();
  const findings = diagnose({
    ...FINE,
    ...change,
    surroundings: { ...PAGE, platform: 'macos' },
  });
  const report = en.doctorReport({ atMs: 1_700_000_000_000, surroundings: PAGE, findings });
  const lines = report.split('\n');
  expect(lines[0]).toBe('Palm connection report, 2023-11-14T22:13:20.000Z');
  expect(lines[1]).toBe('page, linux, Chrome 140; relay by local-name');
  expect(lines[3]).toMatch(/^\[Blocked\] Other devices: Your devices reach the relay/);
  for (const subject of SUBJECTS) {
    const finding = findings.find(({ what }) => what === subject) ?? fail();
    expect(report).toContain(en.findingText(finding).text);
    expect(report).toContain(`(${finding.reason.kind})`);
  }
});

function fail(): never {
  throw new Error('none');
}
