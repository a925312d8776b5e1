// English, all of it. Another language is another object of this type.

import { errorText } from './en/failures.ts';
import { noticeText, UNNAMED_DEVICE } from './en/notices.ts';

export const en = {
  errorText,
  noticeText,
  unnamedDevice: UNNAMED_DEVICE,
};
