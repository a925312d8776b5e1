// What an open pool tells whoever opened it.

import type { Misdeed } from '../core/peer/misdeeds.ts';
import type { NoticeStatus } from './api.ts';
import type { Notice, QuotedDevice } from './notice.ts';

export interface OpenPoolEvents {
  changed(): void;
  notice(level: NoticeStatus['level'], notice: Notice): void;
  misdeed(device: QuotedDevice, what: Misdeed, count: number): void;
}
