// The pool's files, newest first. Long lists grow in pages, and can be filtered by part of the name.

import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { filesFound } from '../state/file-search.ts';
import { usePage, useStatus } from '../state/page.ts';
import type { DeviceLook } from './device-look.ts';
import { EmptyPool } from './empty-pool.tsx';
import { FileRow } from './file-row.tsx';
import { words } from '../text/words.ts';

/** Rows at first, and with every "Show more": each is a drawing, and phones should not draw thousands. */
const PAGE_ROWS = 60;
/**
 * Rows drawn in one task: a phone six times as slow as a laptop takes some 150 ms for them. The others follow
 * in tasks of their own, so that the first are seen soon, and taps come in between.
 */
const SLICE_ROWS = 4;
/** A shorter list is looked through faster than it is searched. */
const SEARCH_FROM = 12;

interface FilesSectionProps {
  readonly devices: readonly DeviceStatus[];
  readonly looks: ReadonlyMap<string, DeviceLook>;
  readonly onOpenLink: () => void;
}

export function FilesSection({ devices, looks, onOpenLink }: FilesSectionProps) {
  const { removals } = usePage();
  const search = useSignal('');
  const shownRows = useSignal(PAGE_ROWS);
  const files = useStatus((status) => status.files);
  const present = files.filter((file) => !removals.isHidden(file.fileId));
  const devicesKey = JSON.stringify(devices.map(({ id, name, state, self }) => [id, name, state, self]));
  const matching = filesFound(present, search.value).toReversed();
  const drawnRows = useSlices(Math.min(matching.length, shownRows.value));
  return (
    <section class="files">
      <div class="files-head">
        <h2 id="files-heading">{words.files.heading}</h2>
        {present.length < SEARCH_FROM && search.value === '' ? null : (
          <input
            type="search"
            class="search"
            aria-label={words.files.search}
            placeholder={words.files.search}
            value={search.value}
            onInput={(event) => {
              search.value = event.currentTarget.value;
            }}
          />
        )}
      </div>
      <ul role="list" aria-labelledby="files-heading">
        {matching.slice(0, drawnRows).map((file) => (
          <SettledRow
            key={file.fileId}
            file={file}
            devices={devices}
            devicesKey={devicesKey}
            looks={looks}
            onOpenLink={onOpenLink}
          />
        ))}
      </ul>
      {matching.length > shownRows.value ? (
        <button type="button" class="button wide" onClick={() => (shownRows.value += PAGE_ROWS)}>
          {words.files.showMore(matching.length - shownRows.value)}
        </button>
      ) : null}
      {present.length === 0 ? <EmptyPool alone={devices.length < 2} /> : null}
      {present.length > 0 && matching.length === 0 ? (
        <p class="empty">{words.files.noneFound(search.value)}</p>
      ) : null}
    </section>
  );
}

interface RowProps {
  readonly file: FileStatus;
  readonly devices: readonly DeviceStatus[];
  /** What a row shows of the devices, as text. */
  readonly devicesKey: string;
  readonly looks: ReadonlyMap<string, DeviceLook>;
  readonly onOpenLink: () => void;
}

/** How many of `wantedRows` are drawn by now. */
function useSlices(wantedRows: number): number {
  const drawn = useSignal(SLICE_ROWS);
  const drawnRows = drawn.value;
  useEffect(() => {
    // A list that became short and then long again grows in slices again.
    if (drawnRows > wantedRows) drawn.value = Math.max(SLICE_ROWS, wantedRows);
    if (drawnRows >= wantedRows) return undefined;
    const timer = setTimeout(() => (drawn.value = drawnRows + SLICE_ROWS));
    return () => clearTimeout(timer);
  }, [drawnRows, wantedRows]);
  return Math.min(drawnRows, wantedRows);
}

/**
 * A row is redrawn only when something that it shows has changed, because the status is renewed many times a
 * second.
 */
function SettledRow({ file, devices, devicesKey, looks, onOpenLink }: RowProps) {
  return useMemo(
    () => <FileRow file={file} devices={devices} looks={looks} onOpenLink={onOpenLink} />,
    // `devicesKey` stands for devices and (since looks follow from device ids) looks. An unchanged file is
    // the same object as before.
    [file, devicesKey],
  );
}
