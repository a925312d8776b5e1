// How sentences quote names that others gave.

import { visibleName } from '../../core/model/visible-name.ts';

/** For example “harbour.jpg”, with every invisible character written out. */
export function quoted(name: string): string {
  return `“${visibleName(name)}”`;
}
