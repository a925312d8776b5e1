// The record of a pool, before and after it has words.

import type { QuotedDevice } from './notice.ts';
import type { PoolRecord, RecordItem, SecurityEventStatus } from './record-api.ts';

export interface WordlessRecordItem extends Omit<
  RecordItem,
  'deviceName' | 'aboutId' | 'aboutName' | 'text'
> {
  readonly by: QuotedDevice;
  readonly about?: QuotedDevice;
}

export interface WordlessSecurityEvent extends Omit<SecurityEventStatus, 'deviceId' | 'text'> {
  readonly by: QuotedDevice | undefined;
}

export interface WordlessRecord extends Omit<PoolRecord, 'items' | 'events'> {
  readonly items: readonly WordlessRecordItem[];
  readonly events: readonly WordlessSecurityEvent[];
}

/** Its sentences. */
interface RecordTexts {
  recordText(item: WordlessRecordItem): string;
  securityEventText(event: WordlessSecurityEvent): string;
}

export function wordedRecord({ items, events, ...page }: WordlessRecord, texts: RecordTexts): PoolRecord {
  return {
    ...page,
    items: items.map((item) => {
      const { by, about, ...told } = item;
      const named = about === undefined ? {} : { aboutId: about.id, aboutName: about.name };
      return { ...told, ...named, deviceName: by.name, text: texts.recordText(item) };
    }),
    events: events.map((event) => {
      const { by, ...told } = event;
      const text = texts.securityEventText(event);
      return { ...told, ...(by === undefined ? {} : { deviceId: by.id }), text };
    }),
  };
}
