// The pool's files, newest first. Long lists grow in pages, and can be filtered by part of the name.

import { useSignal, type Signal } from '@preact/signals';
import { useEffect, useLayoutEffect, useMemo, useRef } from 'preact/hooks';
import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import { filesFound } from '../state/file-search.ts';
import { usePage, useStatus } from '../state/page.ts';
import type { DeviceLook } from './device-look.ts';
import { EmptyPool } from './empty-pool.tsx';
import { FileRow } from './file-row.tsx';
import { FIRST_SLICE_ROWS, nextSlice, nextSliceRows, type RowView, type Slice } from './row-slices.ts';
import { words } from '../text/words.ts';

/** Rows at first, and with every "Show more": each is a drawing, and phones should not draw thousands. */
const PAGE_ROWS = 60;
/** A shorter list is looked through faster than it is searched. */
const SEARCH_FROM = 12;

interface FilesSectionProps {
  readonly devices: readonly DeviceStatus[];
  readonly looks: ReadonlyMap<string, DeviceLook>;
  readonly onOpenLink: () => void;
  readonly onChange: (fileId: string) => void;
  /** The id of a name that a file was given here: its row gets the focus that the old one had. */
  readonly renamed: Signal<string | undefined>;
}

export function FilesSection({ devices, looks, onOpenLink, onChange, renamed }: FilesSectionProps) {
  const { removals } = usePage();
  const search = useSignal('');
  const shownRows = useSignal(PAGE_ROWS);
  const files = useStatus((status) => status.files);
  const present = files.filter((file) => !removals.isHidden(file.fileId));
  const devicesKey = JSON.stringify(devices.map(({ id, name, state, self }) => [id, name, state, self]));
  const matching = filesFound(present, search.value).toReversed();
  const wanted = matching
    .slice(0, shownRows.value)
    .map((file): RowView => ({ file, devices, devicesKey, looks }));
  const rows = useSlices(wanted);
  useFocusOf(renamed, rows, wanted, files);
  return (
    <section class="files">
      <div class="files-head">
        <h2 id="files-heading" tabIndex={-1}>
          {words.files.heading}
        </h2>
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
        {rows.map((row) => (
          <SettledRow key={row.file.fileId} row={row} onOpenLink={onOpenLink} onChange={onChange} />
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
  readonly row: RowView;
  readonly onOpenLink: () => void;
  readonly onChange: (fileId: string) => void;
}

/** Once the row of that name is drawn; a list that leaves it out gets the focus itself. */
function useFocusOf(
  renamed: Signal<string | undefined>,
  rows: readonly RowView[],
  wanted: readonly RowView[],
  files: readonly FileStatus[],
): void {
  const fileId = renamed.value;
  useEffect(() => {
    if (fileId === undefined || !files.some((file) => file.fileId === fileId)) return;
    const hasRow = (views: readonly RowView[]): boolean => views.some(({ file }) => file.fileId === fileId);
    if (hasRow(wanted) && !hasRow(rows)) return;
    const name = document.getElementById(`file-${fileId}`);
    (name?.closest('li') ?? document.getElementById('files-heading'))?.focus();
    renamed.value = undefined;
  });
}

/** The rows on the screen. Slice by slice, each in a task of its own, they become those that are wanted. */
function useSlices(wanted: readonly RowView[]): readonly RowView[] {
  const again = useSignal(0);
  const last = useRef<Slice>({ rows: [], isWhole: true });
  const sliceRows = useRef(FIRST_SLICE_ROWS);
  void again.value; // read, so that a change draws the next slice
  const slice = nextSlice(last.current.rows, wanted, sliceRows.current);
  const startedMs = performance.now();
  useLayoutEffect(() => {
    const wasWhole = last.current.isWhole;
    last.current = slice;
    if (!wasWhole) sliceRows.current = nextSliceRows(sliceRows.current, performance.now() - startedMs);
  });
  useEffect(() => {
    if (slice.isWhole) return undefined;
    const timer = setTimeout(() => (again.value += 1));
    return () => clearTimeout(timer);
  });
  return slice.rows;
}

/**
 * A row is redrawn only when something that it shows has changed, because the status is renewed many times a
 * second: until then it is the same object as before.
 */
function SettledRow({ row, onOpenLink, onChange }: RowProps) {
  const { file, devices, looks } = row;
  return useMemo(
    () => (
      <FileRow
        file={file}
        devices={devices}
        looks={looks}
        onOpenLink={onOpenLink}
        onChange={() => onChange(file.fileId)}
      />
    ),
    [row],
  );
}
