// English: what is needed to go on: a private file's link, an unfinished store's file, devices that answer.

import type { PalmErrorCode } from '../../../core/model/errors.ts';
import type { Failure } from '../../../core/model/failures.ts';
import { quoted } from '../quotation.ts';

type FailureOf<Code extends PalmErrorCode> = Extract<Failure, { readonly code: Code }>;

export function linkNeeded({ reason }: FailureOf<'link-needed'>): string {
  switch (reason) {
    case 'no-link':
      return 'This file is private: it opens with its link only. Ask whoever stored it.';
    case 'of-another-file':
      return 'This link belongs to another file.';
    case 'does-not-open':
      return 'This link does not open this file. Ask whoever stored it for its link.';
  }
}

export function whyNeeded({ reason }: FailureOf<'file-needed'>): string {
  switch (reason) {
    case 'no-handle':
      return 'A browser does not remember where a file was.';
    case 'moved':
      return 'It is no longer where it was.';
    case 'not-allowed':
      return 'The browser does not let Palm read it any more.';
  }
}

export function silentHolders({ silent, reach, k, isHeard }: FailureOf<'not-enough-fragments'>): string {
  const names = silent.map(quoted).join(', ');
  if (isHeard) {
    const [are, hold] =
      silent.length === 1 ? ['is there, but does', 'it holds'] : ['are there, but do', 'they hold'];
    return `${names} ${are} not give what ${hold}, and only ${reach} of the ${k} fragments that are needed are elsewhere. Nothing is lost: reload Palm there, and try again.`;
  }
  const [do_, them] = silent.length === 1 ? ['does', 'it'] : ['do', 'them'];
  return `${names} ${do_} not answer, and only ${reach} of the ${k} fragments that are needed are elsewhere. Nothing is lost: wake ${them} up, or bring ${them} nearer, and try again.`;
}
