// The contract of RecordStore (ports.ts), for every implementation. Each case gets an empty store.

import { deviceIdOf, entryIdOf, fileIdOf } from '../../src/core/model/ids.ts';
import type { RecordStore, StoredRecord } from '../../src/core/ports.ts';
import { checkEqual, type ContractCase } from './contract-case.ts';

export interface RecordStoreHarness {
  readonly store: RecordStore;
  /** The same disk after the process died: a new store over the written data. */
  readonly reopen: () => Promise<RecordStore>;
}

export const recordStoreCases: readonly ContractCase<RecordStoreHarness>[] = [
  {
    name: 'records come back by device and sequence number, in whatever order they were put',
    async run({ store, reopen }) {
      checkEqual(await store.loadRecords(), [], 'an empty store');
      const records = [0, 1, 2].flatMap((device) => [1, 2, 10, 3].map((seq) => recordOf(device, seq)));
      await store.putRecords(records.slice(5));
      await store.putRecords(records.slice(0, 5));
      const sorted = records.toSorted((a, b) =>
        a.deviceId === b.deviceId ? a.seq - b.seq : a.deviceId < b.deviceId ? -1 : 1,
      );
      checkEqual(await (await reopen()).loadRecords(), sorted, 'records');
    },
  },
  {
    name: 'putting a record twice is the same as once',
    async run({ store }) {
      await store.putRecords([recordOf(0, 1), recordOf(0, 1)]);
      await store.putRecords([recordOf(0, 1)]);
      await store.putRecords([]);
      checkEqual(await store.loadRecords(), [recordOf(0, 1)], 'records');
    },
  },
  {
    name: 'two records of one device with one sequence number are both kept: a forked log is evidence',
    async run({ store }) {
      await store.putRecords([recordOf(0, 1, 1), recordOf(0, 1, 2)]);
      checkEqual((await store.loadRecords()).length, 2, 'record count');
    },
  },
  {
    name: 'a record that was dropped is gone, and the others stay',
    async run({ store, reopen }) {
      const [first, second] = [recordOf(0, 1), recordOf(1, 1)];
      await store.putRecords([first, second]);
      await store.dropRecords([first.entryId, recordOf(2, 1).entryId]);
      await store.dropRecords([]);
      checkEqual(await (await reopen()).loadRecords(), [second], 'records');
    },
  },
  {
    name: "the bytes of a record are nobody else's",
    async run({ store }) {
      const record = recordOf(0, 1);
      await store.putRecords([record]);
      record.bytes.fill(0);
      const [loaded] = await store.loadRecords();
      checkEqual(loaded, recordOf(0, 1), 'the record');
    },
  },
  {
    name: 'the outbox holds each file once until it is dropped',
    async run({ store, reopen }) {
      const [one, two] = [fileIdOf(new Uint8Array([1])), fileIdOf(new Uint8Array([2]))];
      checkEqual(await store.loadOutbox(), [], 'an empty outbox');
      await store.putOutbox(one);
      await store.putOutbox(two);
      await store.putOutbox(one);
      checkEqual((await (await reopen()).loadOutbox()).toSorted(), [one, two].toSorted(), 'the outbox');
      await store.dropOutbox(one);
      await store.dropOutbox(one);
      checkEqual(await store.loadOutbox(), [two], 'the outbox after a drop');
    },
  },
  {
    name: 'named values come back as they were put, as copies',
    async run({ store, reopen }) {
      const value = { text: 'é', list: [1, 2.5, null], bytes: new Uint8Array([1, 2, 3]) };
      checkEqual(await store.getMeta('pool'), undefined, 'an absent value');
      await store.putMeta('pool', value);
      value.list.push(4);
      const loaded = await (await reopen()).getMeta('pool');
      checkEqual(loaded, { text: 'é', list: [1, 2.5, null], bytes: new Uint8Array([1, 2, 3]) }, 'the value');
      await store.putMeta('pool', 7);
      checkEqual(await store.getMeta('pool'), 7, 'the value put over it');
      await store.dropMeta('pool');
      await store.dropMeta('pool');
      checkEqual(await store.getMeta('pool'), undefined, 'the dropped value');
    },
  },
  {
    name: 'clear removes records, outbox and named values',
    async run({ store, reopen }) {
      await store.putRecords([recordOf(0, 1)]);
      await store.putOutbox(fileIdOf(new Uint8Array([1])));
      await store.putMeta('pool', 1);
      await store.clear();
      const again = await reopen();
      checkEqual(await again.loadRecords(), [], 'records');
      checkEqual(await again.loadOutbox(), [], 'the outbox');
      checkEqual(await again.getMeta('pool'), undefined, 'a named value');
    },
  },
];

function recordOf(device: number, seq: number, variant = 0): StoredRecord {
  const bytes = new Uint8Array([device, seq, variant, 5, 6]);
  return { entryId: entryIdOf(bytes), deviceId: deviceIdOf(new Uint8Array([device])), seq, bytes };
}
