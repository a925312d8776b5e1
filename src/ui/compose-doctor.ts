// The connection doctor where the app itself does not open: on an address that is not secure, say. It has the
// probes of this browser, and no device.

import { browserProbes } from '../adapters/browser/doctor/browser-probes.ts';
import { systemClock } from '../adapters/portable/clock.ts';
import type { DiagnoseOptions, Diagnosis } from '../runtime/doctor-api.ts';
import { examine } from '../runtime/doctor/gathering.ts';
import { inWords } from '../runtime/doctor/worded-diagnosis.ts';
import { words } from './text/words.ts';

export async function diagnoseAlone(options: DiagnoseOptions): Promise<Diagnosis> {
  const examined = { clock: systemClock, probes: browserProbes(), lookAtPool: inNoPool };
  return inWords(await examine(examined, options), words);
}

async function inNoPool(): Promise<undefined> {
  return undefined;
}
