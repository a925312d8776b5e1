// English. Another language is another object of this type.

import { downloadTexts } from './en/downloads.ts';
import { errorText } from './en/failures.ts';
import { cameraTexts, messageTexts } from './en/messages.ts';
import { noticeText, UNNAMED_DEVICE } from './en/notices.ts';
import { bunchTexts, connectionTexts, safetyTexts } from './en/safety.ts';

export const en = {
  errorText,
  noticeText,
  unnamedDevice: UNNAMED_DEVICE,
  unnamedFile: 'Unnamed file',
  bunch: bunchTexts,
  camera: cameraTexts,
  connection: connectionTexts,
  downloads: downloadTexts,
  messages: messageTexts,
  safety: safetyTexts,
};
