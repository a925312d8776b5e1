// The record of the pool: who did what, newest first, and what this device noticed of others.

import { useSignal } from '@preact/signals';
import { useEffect, useId } from 'preact/hooks';
import type { PoolRecord } from '../../runtime/record-api.ts';
import { browserSaving } from '../download/browser-saving.ts';
import { Dialog } from '../parts/dialog.tsx';
import { Trouble } from '../parts/trouble.tsx';
import { explain } from '../text/explain.ts';
import { shownName } from '../text/file-name.ts';
import { usePage } from '../state/page.ts';
import { words } from '../text/words.ts';

/** Entries at first, and with every "Show earlier". */
const PAGE_ITEMS = 50;
/** The date in a file's name: that of ISO 8601. */
const DAY_CHARS = 10;

export function RecordDialog({ onClose }: { readonly onClose: () => void }) {
  const { palm, status } = usePage();
  const device = useSignal('');
  const page = useSignal<PoolRecord | undefined>(undefined);
  const trouble = useSignal('');
  const isExporting = useSignal(false);
  const load = async (before?: PoolRecord): Promise<void> => {
    const wanted = device.value;
    try {
      const next = await palm.record({
        limit: PAGE_ITEMS,
        ...(wanted === '' ? {} : { device: wanted }),
        ...(before?.earlier === undefined ? {} : { before: before.earlier }),
      });
      // Another device may have been chosen in the meantime.
      if (wanted !== device.value) return;
      page.value = { ...next, items: [...next.items, ...(before?.items ?? [])] };
    } catch (error) {
      trouble.value = explain(error);
    }
  };
  useEffect(() => void load(), [device.value]);
  const save = async (): Promise<void> => {
    isExporting.value = true;
    trouble.value = '';
    try {
      const day = new Date().toISOString().slice(0, DAY_CHARS);
      browserSaving.download(await palm.exportRecord(), words.record.fileName(day));
    } catch (error) {
      trouble.value = explain(error);
    }
    isExporting.value = false;
  };
  const shown = page.value;
  return (
    <Dialog title={words.record.title} onClose={onClose} wide>
      <p class="hint">{words.record.lead}</p>
      <Trouble text={trouble.value} />
      <div class="record-tools">
        <DeviceChoice
          devices={status.value.devices}
          chosen={device.value}
          onChoose={(id) => {
            device.value = id;
            page.value = undefined;
          }}
        />
        <button type="button" class="button" disabled={isExporting.value} onClick={() => void save()}>
          {isExporting.value ? words.record.exporting : words.record.export}
        </button>
      </div>
      {shown === undefined ? (
        <p role="status">{words.record.loading}</p>
      ) : (
        <>
          <Entries page={shown} />
          {shown.earlier === undefined ? null : (
            <button type="button" class="button wide" onClick={() => void load(shown)}>
              {words.record.earlier}
            </button>
          )}
          <Events page={shown} />
        </>
      )}
    </Dialog>
  );
}

interface DeviceChoiceProps {
  readonly devices: readonly { readonly id: string; readonly name: string }[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

function DeviceChoice({ devices, chosen, onChoose }: DeviceChoiceProps) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{words.record.of}</label>
      <select id={id} value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
        <option value="">{words.record.all}</option>
        {devices.map((device) => (
          <option key={device.id} value={device.id}>
            {shownName(device.name)}
          </option>
        ))}
      </select>
    </div>
  );
}

function Entries({ page: { items, total } }: { readonly page: PoolRecord }) {
  const id = useId();
  return (
    <section class="record">
      <h3 id={id}>{words.record.entries}</h3>
      <p class="hint figures" role="status">
        {words.record.count(items.length, total)}
      </p>
      <ul role="list" aria-labelledby={id}>
        {items.toReversed().map(({ entryId, text, atMs, seq, state }) => (
          <li key={entryId}>
            <bdi>{text}</bdi>
            <p class="meta record-meta">
              <time dateTime={new Date(atMs).toISOString()}>{words.units.moment(atMs)}</time>{' '}
              <span>{words.record.place(seq)}</span>{' '}
              <span class={`record-state ${state}`}>{words.record.state[state]}</span>
            </p>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Events({ page: { events } }: { readonly page: PoolRecord }) {
  const id = useId();
  return (
    <section class="record">
      <h3 id={id}>{words.record.events}</h3>
      {events.length === 0 ? (
        <p class="hint">{words.record.noEvents}</p>
      ) : (
        <ul role="list" aria-labelledby={id}>
          {events.toReversed().map(({ kind, deviceId = '', text, lastAtMs }) => (
            <li key={`${kind} ${deviceId}`}>
              <bdi>{text}</bdi>
              <p class="meta">
                <time dateTime={new Date(lastAtMs).toISOString()}>{words.units.moment(lastAtMs)}</time>
              </p>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
