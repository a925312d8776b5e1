// English: another tab of this browser is in the way.

import type { Failure } from '../../../core/model/failures.ts';

export function otherTab({ reason }: Extract<Failure, { readonly code: 'other-tab' }>): string {
  switch (reason) {
    case 'has-device':
      return 'Palm is open in another tab of this browser. Close that one, or use it.';
    case 'leave-there':
      return 'Palm is open in another tab of this browser. Leave the pool there, or close that tab first.';
    case 'older-version':
      return 'Another tab holds an older version of Palm open. Close it, then reload this page; nothing is lost.';
    case 'download-there':
      return 'Another tab of this browser is downloading this file. Look there, or cancel it there first.';
    case 'ended-unheard':
      return 'The tab that ran Palm closed before it said whether this was done. Look whether it was; if not, try again.';
  }
}
