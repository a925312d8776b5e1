// English: the sentence for each failure. It says what happened, what is safe, and what to do next.

import type { PalmErrorCode } from '../../../core/model/errors.ts';
import type { Failure, Rejection } from '../../../core/model/failures.ts';
import { quoted } from '../quotation.ts';
import { COPY_INTO_REPORT } from './bugs.ts';
import { badArgument } from './bad-arguments.ts';
import { badInvite } from './bad-links.ts';
import { lockClosed } from './locks.ts';
import { overQuota } from './quotas.ts';
import { badPairCode, pairingFailed } from './pair-failures.ts';
import { linkNeeded, silentHolders, whyNeeded } from './needed.ts';
import { askingFailed } from './nearby.ts';
import { badRecoveryCode } from './recovery.ts';
import { notAllowed } from './rights.ts';
import { otherTab } from './tabs.ts';
import { unsupported } from './unsupported.ts';

type FailureOf<Code extends PalmErrorCode> = Extract<Failure, { readonly code: Code }>;

export function errorText(failure: Failure): string {
  if ('reason' in failure && failure.reason === 'store-kept') {
    return `${errorText(failure.failure)} What is encrypted of ${quoted(failure.name)} is kept: continue it then, or discard it.`;
  }
  switch (failure.code) {
    case 'bad-invite':
      return badInvite(failure);
    case 'bad-pair-code':
      return badPairCode(failure);
    case 'pairing-failed':
      return pairingFailed(failure.reason);
    case 'asking-failed':
      return askingFailed(failure.reason);
    case 'not-in-pool':
      return failure.reason === 'left'
        ? 'This device left the pool.'
        : 'This device is in no pool. Create one, or join with an invite.';
    case 'already-in-pool':
      return 'This device is in a pool already. Leave it first, then try again.';
    case 'not-allowed':
      return notAllowed(failure);
    case 'unknown-file':
      return failure.reason === 'not-an-id'
        ? 'That is not the id of a file.'
        : 'This pool has no such file, or this device has not heard of it yet.';
    case 'removed-file':
      return removedFile(failure);
    case 'link-needed':
      return linkNeeded(failure);
    case 'file-needed':
      return `Choose ${quoted(failure.name)} again to go on. ${whyNeeded(failure)} What is encrypted of it already is kept.`;
    case 'not-enough-fragments':
      if (failure.silent.length > 0) return silentHolders(failure);
      return `Only ${failure.reach} of the ${failure.k} fragments that are needed can be reached. Nothing is lost: when devices with ${failure.k - failure.reach} more come back, it can be opened again.`;
    case 'bad-argument':
      return badArgument(failure);
    case 'link-closed':
      return failure.reason === 'before-the-answer'
        ? 'The connection to the device closed before it answered.'
        : `The link to the other device is closed: ${failure.detail}.`;
    case 'deadline':
      return deadline(failure);
    case 'cancelled':
      return cancelled(failure);
    case 'refused':
      return refused(failure);
    case 'storage-full':
      return storageFull(failure);
    case 'log-full':
      return failure.reason === 'no-more-files'
        ? 'This device has stored as many files in this pool as its log has room for, removed ones included. Store it on another device of the pool. What is stored stays, and can be read and removed as before.'
        : 'The log of this device is full: no more can be written in this pool from here. What is stored stays, and can be read. Other devices can go on.';
    case 'over-quota':
      return overQuota(failure);
    case 'storage-failed':
      return storageFailed(failure);
    case 'corrupt':
      return corrupt(failure);
    case 'source-changed':
      return sourceChanged(failure);
    case 'bad-message':
      return badMessage(failure);
    case 'unsupported':
      return unsupported(failure);
    case 'other-tab':
      return otherTab(failure);
    case 'bad-recovery-code':
      return badRecoveryCode(failure);
    case 'locked':
    case 'wrong-passphrase':
    case 'passkey-failed':
      return lockClosed(failure);
    case 'worker-failed':
      return workerFailed(failure);
  }
}

/** For whatever was refused at the door of the network. */
export function rejectionText(rejection: Rejection): string {
  switch (rejection.kind) {
    case 'failure':
      return `Refused something from the network. ${errorText(rejection.failure)}`;
    case 'too-much-signaling':
      return 'More signaling arrived at once than this device can check; some of it was dropped.';
    case 'twin':
      return 'Another browser runs this same device: its profile was copied from here, or this one from there. The two push each other off the other devices’ links. Close one of them. In the copy, leave the pool and join it again to make a device of its own.';
    case 'letter':
      return `Refused something from the network: a signaling letter (${rejection.detail}).`;
    case 'not-read':
      return 'A device does not read what it is sent; its link was closed.';
    case 'no-connection':
      return `This browser could not open a connection (${rejection.detail}).`;
    case 'relay-address':
      return `The relay's address cannot be used (${rejection.detail}).`;
    case 'relay-closed':
      return `The relay closed the connection: ${rejection.detail}.`;
  }
}

function removedFile({ reason }: FailureOf<'removed-file'>): string {
  switch (reason) {
    case 'before':
      return 'This file was removed from the pool.';
    case 'while-read':
      return 'The file was removed from the pool while it was being read.';
    case 'while-placed':
      return 'The file was removed from the pool while it was being placed.';
  }
}

function deadline({ reason }: FailureOf<'deadline'>): string {
  switch (reason) {
    case 'no-answer':
      return 'The device did not answer in time.';
    case 'busy':
      return 'The device has too much to do to answer now.';
    case 'storage':
      return 'The device could not read its storage just now.';
  }
}

function cancelled({ reason }: FailureOf<'cancelled'>): string {
  switch (reason) {
    case 'transfer':
      return 'Cancelled. Nothing that was stored before is touched.';
    case 'waiting':
      return 'No longer waiting. The file is on this device and goes on being placed by itself.';
    case 'closing':
      return 'Palm is closing.';
    case 'not-wanted':
      return 'Cancelled.';
    case 'stays':
      return 'This device stays in the pool. What the other devices took over meanwhile stays with them.';
  }
}

function refused(failure: Exclude<FailureOf<'refused'>, { readonly reason: 'store-kept' }>): string {
  switch (failure.reason) {
    case 'no-room-elsewhere':
      return `${failure.fragmentCount === 1 ? 'One fragment found' : `${failure.fragmentCount} fragments found`} no place on the other devices: they are away, have no room, or hold as much of these files as one device may. This device stays in the pool, and nothing is lost. Bring devices back, add one, or leave without handing over.`;
    case 'sealing-too-much':
      return 'Too much is being encrypted at once. Try again when something has finished.';
    case 'download-is-open':
      return 'A page that is closing still has the unfinished file open.';
    case 'stored-in-another-tab':
      return 'Another tab is storing the same file from other bytes. Close all but one, then go on here.';
    case 'not-there':
      return 'The device has no such block.';
    case 'not-here':
      return 'A block of this device is missing.';
  }
}

function storageFull({
  reason,
}: Exclude<FailureOf<'storage-full'>, { readonly reason: 'store-kept' }>): string {
  switch (reason) {
    case 'device':
      return 'This device has no room left for Palm. What it had stored is safe; free some space, or let Palm use more of it.';
    case 'download':
      return 'This device has no room left for the download. The pool still has the whole file. Free some space, then continue.';
    case 'picked-file':
      return 'There is no room left where you are saving this. The pool still has the whole file. Free some space, then continue.';
  }
}

function storageFailed(
  failure: Exclude<FailureOf<'storage-failed'>, { readonly reason: 'store-kept' }>,
): string {
  switch (failure.reason) {
    case 'not-all-deleted':
      return 'This browser left the pool but could not delete everything that it kept of it. Reload and leave again, or clear this site’s data in the browser’s settings.';
    case 'pool-key-damaged':
      return 'What this browser kept of its pool’s key is damaged. Leave the pool here, then join again with an invite from one of its other devices.';
    case 'closing':
      return 'Palm is closing.';
    case 'updated-elsewhere':
      return 'Palm was updated, or its data removed, in another tab. Reload this page.';
    case 'files-not-given':
      return 'This browser does not give Palm its files now. Other devices keep their fragments; reload to try again.';
    case 'gone':
      return 'Everything that Palm kept in this browser was deleted while this page was open: its site data was cleared, or the browser made room. The other devices of the pool know, and keep theirs. Reload this page, and join the pool again with an invite from one of them. Files that only this device held are lost: store them again.';
    case 'takeover':
      return 'What this device holds could not be taken over from the version of Palm before. Nothing is lost: reload to try again.';
    case 'block-missing':
      return 'A fragment cannot be kept: one of its blocks is not here.';
    case 'row-let-go':
      return 'What was to be written was let go meanwhile.';
    case 'fragment-worker':
      return "The part of Palm that keeps this device's fragments stopped. What was kept is safe; try again.";
    case 'download-not-open':
      return 'The unfinished file is not open.';
    case 'download-changed':
      return 'What had arrived was changed on the disk by somebody else. The pool still has the file; continue to fetch it again.';
    case 'picked-file-gone':
      return 'The file you were saving to was moved or deleted. The pool still has the whole file: cancel this download and start it again.';
    case 'picked-file-locked':
      return 'Palm may no longer write to the file you picked. What arrived is still in it; continue, and allow it again.';
    case 'database': {
      const why = failure.detail === undefined ? '' : ` (${failure.detail})`;
      const advice = failure.mayBeFull
        ? 'its disk may be full: free some space, then reload to try again'
        : 'reload to try again';
      return `This browser could not read or write Palm's storage${why}. Other devices keep their fragments; ${advice}.`;
    }
    case 'download':
      return `This browser could not write the file (${failure.detail}). The pool still has it; try again.`;
    case 'picked-file':
      return `The file could not be written (${failure.detail}). The pool still has the whole file; continue to try again.`;
  }
}

function corrupt(failure: FailureOf<'corrupt'>): string {
  switch (failure.reason) {
    case 'device-key':
      return "This browser's device key is damaged. Clear this site's data to start as a new device; other devices keep their fragments.";
    case 'pool-secrets':
      return "What this device keeps of its pool is damaged. Leave the pool, then join it again with another device's invite.";
    case 'lock':
      return "The lock of this device is damaged, and no passphrase opens it any more. Leave the pool, then join it again with another device's invite; other devices keep their fragments.";
    case 'block-not-stored':
      return 'A block does not match its hash and was not stored.';
    case 'index-not-stored':
      return 'A fragment index does not match its id and was not stored.';
    case 'block-dropped':
      return 'A stored block did not match its hash and was dropped.';
    case 'fragment-dropped':
      return 'A stored fragment index did not match its id; the fragment was dropped.';
    case 'index-of-another-id':
      return 'A fragment index does not fit its id.';
    case 'index-of-another-file':
      return 'A fragment index does not fit its file.';
    case 'block-length':
      return 'A block has a wrong length.';
    case 'answer':
      return 'An answer does not fit its question.';
    case 'not-small':
      return 'A fragment is not small.';
    case 'copy-elsewhere':
      return 'The device found its copy of a block damaged.';
    case 'segment':
      return `Segment ${failure.segment + 1} of ${failure.segmentCount} cannot be opened: ${failure.detail}.`;
  }
}

function sourceChanged(failure: FailureOf<'source-changed'>): string {
  switch (failure.reason) {
    case 'while-read':
      return 'The file changed or became unreadable while it was being stored. Nothing of it was kept; add it again to store it as it is now.';
    case 'while-sealed':
      return 'The file changed while it was being stored. Nothing of the changed file was kept; store it again.';
    case 'gone':
      return failure.of === 'file'
        ? 'The file is no longer where it was: it was moved, renamed or deleted. Nothing of it was kept; put it back and try again, or add it from where it is now.'
        : 'The folder is no longer where it was: it was moved, renamed or deleted. Put it back and try again, or add it from where it is now.';
    case 'unreadable':
      return failure.of === 'file'
        ? 'The browser may not read the file. Look at its permissions and its drive, then try again.'
        : 'The browser may not open the folder, so what is in it was not added. Look at its permissions and its drive, then try again.';
    case 'not-given':
      return 'The browser said that something was dropped, but gave no file for it. Choose it with the buttons instead.';
    case 'unread':
      return `The file could not be read to its end. What is encrypted of ${quoted(failure.name)} already is kept: choose the file again.`;
  }
}

function badMessage({ what, detail }: FailureOf<'bad-message'>): string {
  switch (what) {
    case 'record':
      return `A record from outside was refused: ${detail}.`;
    case 'frame':
      return `A frame from a linked device was refused: ${detail}.`;
    case 'envelope':
      return `A signaling envelope was refused: ${detail}.`;
    case 'relay-frame':
      return `A frame from the relay was refused: ${detail}.`;
  }
}

function workerFailed(
  failure: Exclude<FailureOf<'worker-failed'>, { readonly reason: 'store-kept' }>,
): string {
  switch (failure.reason) {
    case 'codec':
      return 'The part of Palm that encrypts stopped. Nothing stored was lost; try again.';
    case 'downloads':
      return 'The part of Palm that writes downloads stopped. What had arrived is kept; continue, and it goes on from there.';
    case 'coding':
      return 'The erasure code stopped; this device may be out of memory.';
    case 'app-updated':
      return 'Palm was updated on the relay while this page was open. Reload the page to use the new version.';
    case 'relay-gone':
      return 'Palm could not be loaded whole, because the relay that serves it does not answer. When the relay runs again, reload the page.';
    case 'not-loaded':
      return `A part of Palm could not be loaded (${failure.status}). Reload the page.`;
    case 'threw':
      return `${failure.detail.replace(/\.$/u, '')}. That is a bug in Palm itself, not a fault of your devices or files: reload, and ${COPY_INTO_REPORT}.`;
  }
}
