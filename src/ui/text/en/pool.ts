// English: the pool's screen. `name`: as it is shown.

import type { ComponentChildren } from 'preact';
import type { RemovedStatus, RepairPause, TransferStatus, UnfinishedStatus } from '../../../runtime/api.ts';
import { countOf, formatBytes, formatShortDuration, formatSince } from './units.ts';

export const poolTexts = {
  unnamed: 'Your pool',
  /** Of the window. */
  title: (poolName: string) => `${poolName} · Palm`,
  settings: 'Pool settings',
  leave: 'Leave pool',
  dropHere: (poolName: ComponentChildren): ComponentChildren => ['Drop to add to ', poolName],
  addFiles: 'Add files',
  addFolder: 'Add a folder',
  keepPrivate: 'Private (only the link opens it)',
  howToDrop: 'You can also drop files and folders anywhere on this page.',
};

export const devicesTexts = {
  heading: 'Devices',
  evictable: 'In a Safari tab',
  invite: 'Invite a device',
  rename: 'Rename this device',
  self: 'This device',
  reachable: 'Reachable',
  throughRelay: 'through the relay',
  away: (sinceMs: number, nowMs: number) => `Away since ${formatSince(sinceMs, nowMs)}`,
  suspect: (forMs: number) => `Not answering for ${formatShortDuration(forMs)}`,
  gone: (forMs: number) => `Gone for ${formatShortDuration(forMs)}`,
};

export const repairsTexts = {
  heading: 'Restoring',
  privateFile: 'a private file',
  /** `share`: of the network, above 0 and at most 1. */
  share: (share: number) => `Takes at most ${Math.round(share * 100)} % of the network.`,
  paused: (why: RepairPause) =>
    why === 'battery-low' ? 'Paused: battery low' : 'Paused: the browser saves data',
  /** `percent`: undefined until it is known. */
  progress: (fragments: number, file: string, percent: number | undefined) =>
    `Restoring ${countOf(fragments, 'fragment')} of ${file}${percent === undefined ? '' : `, ${percent} %`}`,
};

export const activityListTexts = {
  heading: 'Activity',
  showMore: (leftCount: number) => `Show more (${leftCount} left)`,
};

export const filesTexts = {
  heading: 'Files',
  search: 'Search by name',
  showMore: (leftCount: number) => `Show more (${leftCount} left)`,
  noneFound: (search: string) => `No name here contains “${search}”.`,
  none: 'Nothing here yet',
  noneAlone:
    'Add something now, or invite your other devices first: with three of them, any one can be lost.',
  noneTogether: 'Add something: it is encrypted, cut into pieces and spread over the devices above.',
  private: 'Private',
  deletable: 'Safe to delete the original',
  download: 'Download',
  downloadOf: (file: string) => `Download ${file}`,
  openWithLink: 'Open with its link',
  openWithLinkOf: (file: string) => `Open with its link: ${file}`,
  change: 'Rename or keep here',
  changeOf: (file: string) => `Rename or keep here: ${file}`,
  remove: 'Remove',
  removeOf: (file: string) => `Remove ${file}`,
  removedHere: ({ files, bytes }: RemovedStatus, waitsFor: string, moreCount: number) => {
    const who = moreCount === 0 ? waitsFor : `${waitsFor} and ${countOf(moreCount, 'more device')}`;
    const what = `${countOf(files, 'removed file')} still ${files === 1 ? 'takes' : 'take'}`;
    return `${what} ${formatBytes(bytes)} on this device until ${who} ${moreCount === 0 ? 'has' : 'have'} heard of it, 7 days at most.`;
  },
};

export const transfersTexts = {
  heading: 'Transfers',
  phases: {
    starting: 'Starting',
    hashing: 'Reading',
    sealing: 'Encrypting',
    placing: 'Sending to devices',
    reading: 'Downloading',
    waiting: 'Waiting',
    stopped: 'Stopped',
  } satisfies Record<TransferStatus['phase'] | 'starting' | 'waiting' | 'stopped', string>,
  progress: (doneBytes: number, totalBytes: number) =>
    `${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`,
  waiting: (size: number) => `Waiting · ${formatBytes(size)}`,
  moreWaiting: (count: number) => `${count} more are waiting`,
  continue: 'Continue',
  continueOf: (file: string) => `Continue ${file}`,
  cancelAll: 'Cancel all',
  cancelOf: (name: string) => `Cancel ${name}`,
  /** `hasFolders`: not all of them are files. */
  failed: (count: number, hasFolders: boolean) =>
    `${countOf(count, hasFolders ? 'item' : 'file')} could not be stored`,
  retryFailed: 'Try all again',
  clearFailed: 'Clear all',
  showMoreFailed: (leftCount: number) => `Show more (${leftCount.toLocaleString('en')} left)`,
};

export const unfinishedTexts = {
  progress: (sealedBytes: number, size: number) =>
    `Interrupted · ${formatBytes(sealedBytes)} of ${formatBytes(size)} encrypted`,
  needs: {
    nothing: 'It goes on where it stopped.',
    permission: 'Your browser will ask whether Palm may read the file again.',
    file: 'It goes on where it stopped once you choose the file again.',
  } satisfies Record<UnfinishedStatus['needs'], string>,
  choose: 'Choose the file again',
  chooseOf: (file: string) => `Choose the file again for ${file}`,
  discardOf: (name: string) => `Discard the encrypted part of ${name}`,
};
