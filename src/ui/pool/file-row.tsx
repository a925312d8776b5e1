// One file: its name, its palm bunch, one honest sentence, and the available actions.

import type { DeviceStatus, FileStatus } from '../../runtime/api.ts';
import {
  ClosedIcon,
  DownloadIcon,
  ExposedIcon,
  LinkIcon,
  LockIcon,
  PencilIcon,
  RemoveIcon,
  ShieldIcon,
} from '../parts/icons.tsx';
import { safetyOf, type SafetyTone } from '../text/safety-sentence.ts';
import { heardName, shownName, shownPath } from '../text/file-name.ts';
import { words } from '../text/words.ts';
import { usePage } from '../state/page.ts';
import type { DeviceLook } from './device-look.ts';
import { PalmBunch } from './palm-bunch.tsx';

interface FileRowProps {
  readonly file: FileStatus;
  readonly devices: readonly DeviceStatus[];
  readonly looks: ReadonlyMap<string, DeviceLook>;
  readonly onOpenLink: () => void;
  readonly onChange: () => void;
}

export function FileRow({ file, devices, looks, onOpenLink, onChange }: FileRowProps) {
  const { downloads, removals } = usePage();
  const name = file.name === '' ? words.names.privateFile : shownName(file.name);
  const nameId = `file-${file.fileId}`;
  const heard = heardName(name, shownPath(file.path));
  const safety = safetyOf(file, devices);
  return (
    <li class="file" aria-labelledby={nameId} tabIndex={-1}>
      <div class="file-words">
        <bdi class="file-name" id={nameId}>
          {name}
        </bdi>
        <p class="meta">
          {file.private ? (
            <span class="tag">
              <LockIcon />
              {words.files.private}
            </span>
          ) : null}
          <span>{words.units.bytes(file.size)}</span>
          {file.pinned === true ? <span>{words.file.keptHere}</span> : null}
          {file.path === '' ? null : <bdi class="path">{shownPath(file.path)}</bdi>}
        </p>
      </div>
      <div class="file-health">
        <PalmBunch file={file} devices={devices} looks={looks} />
        <p class={`safety ${safety.tone}`}>
          <SafetyIcon tone={safety.tone} />
          <span>{safety.sentence}</span>
        </p>
        {file.safe ? <p class="meta deletable">{words.files.deletable}</p> : null}
      </div>
      <div class="file-actions">
        {file.openable ? (
          <button
            type="button"
            class="button icon-only"
            aria-label={words.files.downloadOf(heard)}
            title={words.files.download}
            onClick={() => void downloads.start(file)}
          >
            <DownloadIcon />
          </button>
        ) : (
          <button
            type="button"
            class="button icon-only"
            aria-label={words.files.openWithLinkOf(heard)}
            title={words.files.openWithLink}
            onClick={onOpenLink}
          >
            <LinkIcon />
          </button>
        )}
        <button
          type="button"
          class="button icon-only quiet"
          aria-label={words.files.changeOf(heard)}
          title={words.files.change}
          onClick={onChange}
        >
          <PencilIcon />
        </button>
        <button
          type="button"
          class="button icon-only quiet"
          aria-label={words.files.removeOf(heard)}
          title={words.files.remove}
          onClick={(event) => {
            focusNeighbour(event.currentTarget);
            removals.remove({ fileId: file.fileId, name });
          }}
        >
          <RemoveIcon />
        </button>
      </div>
    </li>
  );
}

/** The row is about to disappear with the focus in it: keyboard users continue from the next one. */
function focusNeighbour(button: HTMLElement): void {
  const row = button.closest('li');
  const neighbour = row?.nextElementSibling ?? row?.previousElementSibling ?? document.querySelector('h1');
  if (neighbour instanceof HTMLElement) neighbour.focus();
}

function SafetyIcon({ tone }: { readonly tone: SafetyTone }) {
  switch (tone) {
    case 'safe':
      return <ShieldIcon />;
    case 'exposed':
      return <ExposedIcon />;
    case 'closed':
      return <ClosedIcon />;
  }
}
