// English: what is needed to go on, a private file's link or an unfinished store's file.

import type { PalmErrorCode } from '../../../core/model/errors.ts';
import type { Failure } from '../../../core/model/failures.ts';

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
