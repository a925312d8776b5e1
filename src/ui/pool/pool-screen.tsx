// The pool: its devices, its files, and adding files.

import { useComputed, useSignal, useSignalEffect, type Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import { REACHED_PATH } from '../../core/model/relay-paths.ts';
import { FileDialog } from '../dialogs/file-dialog.tsx';
import { InviteDialog } from '../dialogs/invite-dialog.tsx';
import { LeaveDialog } from '../dialogs/leave-dialog.tsx';
import { LockDialog } from '../dialogs/lock-dialog.tsx';
import { PairDialog } from '../dialogs/pair-dialog.tsx';
import { OpenLinkDialog } from '../dialogs/open-link-dialog.tsx';
import { PrivateLinksDialog } from '../dialogs/private-links-dialog.tsx';
import { RecordDialog } from '../dialogs/record-dialog.tsx';
import { RenameDialog } from '../dialogs/rename-dialog.tsx';
import { RoleDialog } from '../dialogs/role-dialog.tsx';
import { SettingsDialog } from '../dialogs/settings-dialog.tsx';
import { Brand } from '../parts/brand.tsx';
import { LeaveIcon, ListIcon, LockIcon, SettingsIcon } from '../parts/icons.tsx';
import { useWarningBeforeClosing } from '../parts/closing-warning.ts';
import { Notices } from '../parts/messages.tsx';
import type { DeviceStatus } from '../../runtime/api.ts';
import { shownName } from '../text/file-name.ts';
import type { Added } from '../state/added.ts';
import { usePage, useStatus } from '../state/page.ts';
import { ActivitySection } from './activity-section.tsx';
import { AddPanel } from './add-panel.tsx';
import { AsksSection } from './asks-section.tsx';
import { connectionOf } from './connection.ts';
import { looksOf } from './device-look.ts';
import { DevicesSection } from './devices-section.tsx';
import { DropZone } from './drop-zone.tsx';
import { FilesSection } from './files-section.tsx';
import { HandingOverSection } from './handing-over-section.tsx';
import { PlacementQuestion } from './placement-question.tsx';
import { OverusedSection } from './overused-section.tsx';
import { RekeySection } from './rekey-section.tsx';
import { RemovedNote } from './removed-note.tsx';
import { RepairsSection } from './repairs-section.tsx';
import { ShutOutNote, ShutOutSection } from './shut-out-section.tsx';
import { SpaceSection } from './space-section.tsx';
import { TransfersSection } from './transfers-section.tsx';
import { UpgradeNotes } from './upgrade-notes.tsx';
import { words } from '../text/words.ts';

type OpenDialog =
  | 'none'
  | 'invite'
  | 'pair'
  | 'leave'
  | 'lock'
  | 'record'
  | 'rename'
  | 'settings'
  | 'open-link';

export function PoolScreen() {
  const page = usePage();
  const { queue, said, relayTrouble, isInviting, isDiagnosing } = page;
  const dialog = useSignal<OpenDialog>('none');
  /** The device whose role is being changed. */
  const managed = useSignal<string | undefined>(undefined);
  /** The file that is being changed. */
  const changed = useSignal<string | undefined>(undefined);
  const renamed = useSignal<string | undefined>(undefined);
  const isPrivate = useSignal(false);
  const devices = useStatus((status) => status.devices);
  const pool = useStatus((status) => status.pool);
  const role = useStatus((status) => status.role);
  const name = pool?.name ?? '';
  const poolName = name === '' ? words.pool.unnamed : shownName(name);
  const deviceIds = devices.map((device) => device.id).join(' ');
  const looks = useMemo(() => looksOf(deviceIds.split(' ')), [deviceIds]);
  const isSecure = location.protocol === 'https:';
  const connection = connectionOf({ pool, devices }, relayTrouble.value, isSecure);
  const isFirstDrawn = useLater();
  useSignalEffect(() => {
    if (!isInviting.value) return;
    isInviting.value = false;
    dialog.value = 'invite';
  });
  useWarningOfWork();
  useTitle(useStatus(({ lock }) => lock) === 'none' ? poolName : undefined);

  const add = (added: Added): void => {
    if (added.files.length + added.unread.length === 0) said.value = words.messages.nothingToAdd;
    queue.add(added, isPrivate.value);
  };

  return (
    <main class="pool">
      <div class="pool-top">
        <header class="pool-head">
          <Brand />
          <div class="pool-title">
            <h1 tabIndex={-1}>
              <bdi>{poolName}</bdi>
            </h1>
            <p class={`connection ${connection.state}`} role="status">
              {connection.sentence}
            </p>
            {connection.offersDoctor ? (
              <button type="button" class="button relay-page" onClick={() => (isDiagnosing.value = true)}>
                {words.doctor.openHere}
              </button>
            ) : null}
            {connection.offersRelayPage ? (
              <a class="button relay-page" href={REACHED_PATH} target="_blank" rel="noopener">
                {words.connection.openRelayPage}
              </a>
            ) : null}
          </div>
        </header>
        <ShutOutNote />
        <UpgradeNotes />
        <AsksSection />
        <OverusedSection />
        <PlacementQuestion />
        <Notices />
      </div>
      <div class="pool-side">
        <DevicesSection
          devices={devices}
          looks={looks}
          onInvite={() => (dialog.value = 'invite')}
          onRename={() => (dialog.value = 'rename')}
          onRole={role === 'admin' ? (device) => (managed.value = device.id) : undefined}
        />
        <ShutOutSection />
      </div>
      <div class="pool-main">
        <HandingOverSection />
        <AddPanel isPrivate={isPrivate} onAdd={add} />
        <TransfersSection />
        <RepairsSection />
        <RekeySection />
        <FilesSection
          devices={devices}
          looks={looks}
          onOpenLink={() => (dialog.value = 'open-link')}
          onChange={(fileId) => (changed.value = fileId)}
          renamed={renamed}
        />
        {isFirstDrawn ? <RemovedNote /> : null}
        {isFirstDrawn ? <SpaceSection /> : null}
        {isFirstDrawn ? <ActivitySection /> : null}
      </div>
      <footer class="pool-foot">
        <button type="button" class="button quiet" onClick={() => (dialog.value = 'settings')}>
          <SettingsIcon />
          {words.pool.settings}
        </button>
        <button type="button" class="button quiet" onClick={() => (dialog.value = 'record')}>
          <ListIcon />
          {words.record.open}
        </button>
        <button type="button" class="button quiet" onClick={() => (dialog.value = 'lock')}>
          <LockIcon />
          {words.lock.open}
        </button>
        <button type="button" class="button quiet" onClick={() => (dialog.value = 'leave')}>
          <LeaveIcon />
          {words.pool.leave}
        </button>
      </footer>
      <DropZone poolName={poolName} onAdd={add} />
      <PoolDialog open={dialog} />
      <ManagedDevice id={managed} devices={devices} />
      <ChangedFile id={changed} renamed={renamed} />
      <PrivateLinksDialog />
    </main>
  );
}

function PoolDialog({ open }: { readonly open: Signal<OpenDialog> }) {
  const close = (): void => {
    open.value = 'none';
  };
  switch (open.value) {
    case 'none':
      return null;
    case 'invite':
      return <InviteDialog onClose={close} onPair={() => (open.value = 'pair')} />;
    case 'pair':
      return <PairDialog begins="show" onClose={close} />;
    case 'leave':
      return <LeaveDialog onClose={close} />;
    case 'lock':
      return <LockDialog onClose={close} />;
    case 'record':
      return <RecordDialog onClose={close} />;
    case 'rename':
      return <RenameDialog onClose={close} />;
    case 'settings':
      return <SettingsDialog onClose={close} />;
    case 'open-link':
      return <OpenLinkDialog onClose={close} />;
  }
}

interface ManagedDeviceProps {
  readonly id: Signal<string | undefined>;
  readonly devices: readonly DeviceStatus[];
}

function ManagedDevice({ id, devices }: ManagedDeviceProps) {
  const device = devices.find((each) => each.id === id.value);
  return device && <RoleDialog key={device.id} device={device} onClose={() => (id.value = undefined)} />;
}

interface ChangedFileProps {
  readonly id: Signal<string | undefined>;
  readonly renamed: Signal<string | undefined>;
}

function ChangedFile({ id, renamed }: ChangedFileProps) {
  const file = useStatus(({ files }) => files.find(({ fileId }) => fileId === id.value));
  if (file === undefined) return null;
  const close = (): void => {
    id.value = undefined;
  };
  const onRenamed = (fileId: string): void => {
    close();
    renamed.value = fileId;
  };
  return <FileDialog key={file.fileId} file={file} onClose={close} onRenamed={onRenamed} />;
}

/** True once the first drawing is on the screen: what lies below the files does not hold it up. */
function useLater(): boolean {
  const isLater = useSignal(false);
  useEffect(() => {
    const timer = setTimeout(() => (isLater.value = true));
    return () => clearTimeout(timer);
  }, [isLater]);
  return isLater.value;
}

/** A browser notes titles in its history: the pool's name is not in that of a device with a lock. */
function useTitle(poolName: string | undefined): void {
  useEffect(() => {
    document.title = poolName === undefined ? words.names.app : words.pool.title(poolName);
    return () => {
      document.title = words.names.app;
    };
  }, [poolName]);
}

/** The queue, a private file's link and a handing over end with this page: the browser asks before. */
function useWarningOfWork(): void {
  const { queue, resumptions, privateLinks, leaving } = usePage();
  // The queue changes with every small file: the screen is redrawn only when this value does.
  const atStake = useComputed(
    () =>
      privateLinks.value.length > 0 ||
      resumptions.runningCount.value > 0 ||
      leaving.phase.value === 'handing-over' ||
      queue.items.value.some((item) => item.state.kind !== 'failed'),
  ).value;
  useWarningBeforeClosing(atStake);
}
