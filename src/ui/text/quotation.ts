// How sentences quote what somebody else named.

import { visibleName } from '../../core/model/visible-name.ts';

/** Such as “harbour.jpg”, with everything written out that could not be seen. */
export function quoted(name: string): string {
  return `“${visibleName(name)}”`;
}
