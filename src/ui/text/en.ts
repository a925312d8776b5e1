// English. Another language is another object of this type.

import { activityText } from './en/activity.ts';
import {
  fingerprintTexts,
  inviteTexts,
  leaveTexts,
  openLinkTexts,
  privateLinkTexts,
  renameTexts,
  scanTexts,
  settingsTexts,
} from './en/dialogs.ts';
import { doctorReport, doctorTexts, findingText } from './en/doctor.ts';
import { downloadTexts } from './en/downloads.ts';
import { errorText } from './en/failures.ts';
import { cameraTexts, messageTexts } from './en/messages.ts';
import { nameTexts } from './en/names.ts';
import { nearbyTexts } from './en/nearby.ts';
import { keysTexts } from './en/keys.ts';
import { twoPoolsTexts } from './en/two-pools.ts';
import { upgradeTexts } from './en/upgrades.ts';
import { recoveryTexts } from './en/recovery.ts';
import { lockTexts, unlockTexts } from './en/lock-screens.ts';
import { noticeText } from './en/notices.ts';
import { overusedTexts } from './en/overused.ts';
import { commonTexts, installTexts, updateTexts } from './en/parts.ts';
import { placementTexts } from './en/placement.ts';
import {
  activityListTexts,
  devicesTexts,
  filesTexts,
  poolTexts,
  repairsTexts,
  transfersTexts,
  unfinishedTexts,
} from './en/pool.ts';
import { quotaTexts } from './en/quotas.ts';
import { bunchTexts, connectionTexts, safetyTexts } from './en/safety.ts';
import { rekeyTexts } from './en/rekeying.ts';
import { fileTexts } from './en/files.ts';
import { roleTexts } from './en/rights.ts';
import { pairTexts } from './en/pairing.ts';
import { recordText, recordTexts, securityEventText } from './en/record.ts';
import { startTexts } from './en/start.ts';
import { unitTexts } from './en/units.ts';
import { joiningTexts, joinTexts, welcomeTexts } from './en/welcome.ts';

export const en = {
  activityText,
  errorText,
  noticeText,
  recordText,
  securityEventText,
  findingText,
  doctorReport,
  activity: activityListTexts,
  bunch: bunchTexts,
  camera: cameraTexts,
  common: commonTexts,
  connection: connectionTexts,
  devices: devicesTexts,
  doctor: doctorTexts,
  downloads: downloadTexts,
  files: filesTexts,
  fingerprints: fingerprintTexts,
  invite: inviteTexts,
  join: joinTexts,
  joining: joiningTexts,
  keys: keysTexts,
  twoPools: twoPoolsTexts,
  upgrade: upgradeTexts,
  recovery: recoveryTexts,
  leave: leaveTexts,
  lock: lockTexts,
  messages: messageTexts,
  names: nameTexts,
  nearby: nearbyTexts,
  openLink: openLinkTexts,
  pair: pairTexts,
  placement: placementTexts,
  pool: poolTexts,
  privateLinks: privateLinkTexts,
  record: recordTexts,
  rekey: rekeyTexts,
  rename: renameTexts,
  roles: roleTexts,
  file: fileTexts,
  safety: safetyTexts,
  quotas: quotaTexts,
  repairs: repairsTexts,
  scan: scanTexts,
  settings: settingsTexts,
  start: startTexts,
  transfers: transfersTexts,
  unfinished: unfinishedTexts,
  overused: overusedTexts,
  unlock: unlockTexts,
  units: unitTexts,
  install: installTexts,
  update: updateTexts,
  welcome: welcomeTexts,
};

export type Words = typeof en;
