// English: the pool's record, and what others did that was refused.

import { visibleName } from '../../../core/model/visible-name.ts';
import type { RecordState, SecurityEventKind } from '../../../runtime/record-api.ts';
import type { WordlessRecordItem, WordlessSecurityEvent } from '../../../runtime/worded-record.ts';
import { deviceText } from './notices.ts';
import { countOf } from './units.ts';

/** One plain sentence, without a full stop, as in a list. */
export function recordText(item: WordlessRecordItem): string {
  const said = `${saidBy(item)}${whatGoes(item)}`;
  return item.counts === false ? `${said} (without effect)` : said;
}

/** Why a device was shut out, and what of its deeds was undone. */
function whatGoes({ reason, undone = 0 }: WordlessRecordItem): string {
  const why = reason === undefined ? '' : `: “${visibleName(reason)}”`;
  return undone === 0 ? why : `${why}, and undid ${countOf(undone, 'act')} of before`;
}

function saidBy({ by, kind, seq, name, fileName, about, role }: WordlessRecordItem): string {
  const who = deviceText(by, (text) => text);
  const whom = about === undefined ? 'a device' : deviceText(about, (text) => text);
  const file = fileName === undefined ? 'a private file' : visibleName(fileName);
  switch (kind) {
    case 'profile':
      return seq === 1 ? `${who} joined as ${shown(name)}` : `${who} took the name ${shown(name)}`;
    case 'pool':
      return `${who} named the pool ${shown(name)}`;
    case 'file':
      return `${who} added ${file}`;
    case 'name':
      return `${who} added ${file}, whose bytes the pool had`;
    case 'remove':
    case 'unname':
      return `${who} removed ${fileName === undefined ? 'a file' : file}`;
    case 'policy':
      return `${who} changed the pool's settings`;
    case 'live-invite':
      return `${who} made an invite`;
    case 'leave':
      return `${who} left the pool`;
    case 'charter':
      return `${who} began the pool’s charter`;
    case 'grant':
      return `${who} made ${whom} ${role === 'admin' ? 'an admin' : `a ${role ?? 'member'}`}`;
    case 'shut-out':
      return `${who} shut ${whom} out of the pool`;
    case 'keep':
      return `${who} kept what ${whom} wrote before it was shut out`;
    case 'admit':
      return `${who} let ${whom} in`;
    case 'withdraw':
      return `${who} withdrew an invite`;
    case 'epoch':
      return `${who} changed the pool’s keys`;
    case 'epoch-keys':
      return `${who} gave the pool’s keys to more devices`;
    case 'exchange':
      return `${who} published a key that others seal the pool’s keys to`;
    case 'merge':
      return `${who} noted what it had heard of`;
    case 'code':
      return `${who} made a recovery code`;
    case 'offer':
      return `${who} offered this part of the pool to another part, or took that back`;
    case 'take-in':
      return `${who} took another part of the pool in`;
    case 'recover':
      return `A recovery code made ${whom} an admin`;
    case 'unreadable':
      return `An entry of ${who} that can no longer be read here`;
    default:
      return `${who} wrote an entry that this version of Palm does not know (${visibleName(kind)})`;
  }
}

export function securityEventText({ by, kind, count }: WordlessSecurityEvent): string {
  const who = by === undefined ? 'Other devices' : deviceText(by, (text) => text);
  return DID[kind](who, count);
}

const DID: Record<SecurityEventKind, (who: string, count: number) => string> = {
  'removed-files': (who, count) => `${who} removed ${countOf(count, 'file')} of others`,
  'forged-records': (who, count) => `${who} sent ${countOf(count, 'record')} with a wrong signature or form`,
  'forked-log': (who, count) => `${who} wrote numbers of a log twice (${countOf(count, 'time')})`,
  'overfull-log': (who, count) => `${who} wrote more than a log may hold (${countOf(count, 'record')})`,
  'false-claims': (who, count) => `${who} failed to prove ${countOf(count, 'fragment')} when challenged`,
  'false-equal': (who, count) => `${who} published ${countOf(count, 'file')} as equal to others that differ`,
  'future-name': (who, count) => `${who} dated ${countOf(count, 'name')} far ahead`,
  withheld: (who, count) => `${who} claimed ${countOf(count, 'fragment')} and did not give them`,
  'damaged-bytes': (who, count) => `${who} sent damaged bytes (${countOf(count, 'time')})`,
  'unreadable-messages': (who, count) =>
    `${who} sent messages that cannot be read (${countOf(count, 'time')})`,
  'refused-signaling': (_who, count) => `Signaling was refused as not genuine (${countOf(count, 'time')})`,
  flood: (_who, count) => `More signaling came than this device can check (${countOf(count, 'time')})`,
  twin: (_who, count) => `Another browser ran this same device (${countOf(count, 'time')})`,
};

function shown(name: string | undefined): string {
  return `“${visibleName(name ?? '')}”`;
}

export const recordTexts = {
  open: 'Record',
  title: 'Record of the pool',
  lead: 'Every change in this pool, signed by the device that made it. The times are those of the devices’ own clocks.',
  loading: 'Reading…',
  entries: 'Entries',
  of: 'Device',
  all: 'All devices',
  earlier: 'Show earlier',
  count: (shownCount: number, total: number) =>
    `${shownCount.toLocaleString('en')} of ${countOf(total, 'entry', 'entries')}`,
  state: {
    verified: 'Signature checked',
    forked: 'Signature checked; this log split',
    invalid: 'Cannot be verified here',
  } satisfies Record<RecordState, string>,
  /** The number in the device's log. */
  place: (seq: number) => `no. ${seq.toLocaleString('en')}`,
  events: 'What this device noticed',
  noEvents: 'Nothing was refused.',
  export: 'Export',
  exporting: 'Exporting…',
  fileName: (day: string) => `palm-record-${day}.jsonl`,
};
