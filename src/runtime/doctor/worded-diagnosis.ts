// A diagnosis in the words of one language.

import type { Finding } from '../../core/model/finding.ts';
import type { Diagnosis } from '../doctor-api.ts';
import type { WordlessDiagnosis } from './gathering.ts';

export interface FindingWords {
  readonly title: string;
  readonly text: string;
  readonly way?: string;
}

/** The sentences of the doctor. */
interface DoctorTexts {
  findingText(finding: Finding): FindingWords;
  doctorReport(diagnosis: WordlessDiagnosis): string;
}

export function inWords(diagnosis: WordlessDiagnosis, texts: DoctorTexts): Diagnosis {
  const findings = diagnosis.findings.map((finding) => {
    const { what, state, reason } = finding;
    return { what, state, reason: reason.kind, ...texts.findingText(finding) };
  });
  return { atMs: diagnosis.atMs, findings, report: texts.doctorReport(diagnosis) };
}
