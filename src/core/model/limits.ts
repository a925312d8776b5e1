// Every bound that Palm puts on sizes, counts and waiting, with its unit and its reason.

/**
 * One block at most, bytes: four 64 KiB frames; large enough for IndexedDB and SIMD, small enough to hedge.
 */
export const BLOCK_BYTES = 256 * 1024;

/**
 * What Palm makes full blocks of with k = 4, the usual one, bytes: a segment is 944 KiB then. Engines map
 * memory for pieces of some 1 MiB anew each time, and give it back
 * (docs/decisions/0013-segments-below-a-mebibyte.md).
 */
export const USUAL_BLOCK_BYTES = 236 * 1024;

/**
 * Full blocks of a file of several segments have at least this, bytes: an index is 0.05 % of its fragment
 * then. With blocks of one byte it would be 34 times as much, and nobody would have offered space for it.
 */
export const MIN_BLOCK_BYTES = 64 * 1024;

/** AES-GCM's authentication tag, bytes (NIST SP 800-38D). */
export const GCM_TAG_BYTES = 16;

/** Reed-Solomon over GF(2^8) and Shamir's x = i + 1 <= 255 allow no more fragments than this. */
export const MAX_FRAGMENT_COUNT = 255;

/** The first geometry of a pool that has not measured its devices yet. */
export const DEFAULT_K = 4;
export const DEFAULT_N = 8;

/** Segments in one file at most: their hashes must fit a fragment index message (32 bytes each). */
export const MAX_SEGMENT_COUNT = 65_536;

/**
 * Small keys of what must be erasable on one device, one for each fragment, unfinished store and pool: 32
 * bytes each in memory.
 */
export const MAX_KEY_SLOTS = 2 ** 22;

/** File names, in UTF-8 bytes: what most file systems allow for one component. */
export const MAX_NAME_BYTES = 255;
/** Folder paths, in UTF-8 bytes: Linux's PATH_MAX. */
export const MAX_PATH_BYTES = 4096;
export const MAX_MIME_BYTES = 255;
export const MAX_DEVICE_NAME_BYTES = 64;
export const MAX_POOL_NAME_BYTES = 64;

/** A signed catalogue record, bytes: a manifest of 255 fragments (36-byte CIDs) and a full path fit well. */
export const MAX_RECORD_BYTES = 64 * 1024;
/** The name of a record's kind, bytes: longer ones are no kind of any version. */
export const MAX_KIND_BYTES = 32;
/** Records of one device's log. */
export const MAX_LOG_LENGTH = 1_000_000;
/**
 * Records of one device's log, bytes, beside the last: some 115,000 files of the usual geometry. A device can
 * make the others keep this much, and no more; they have it in memory.
 */
export const MAX_LOG_BYTES = 96 * 1024 * 1024;
/**
 * Of that a device leaves this much free of files, bytes: for thousands of removals, names, and its leave.
 */
export const LOG_RESERVE_BYTES = 1024 * 1024;
/**
 * Branches of one log: a browser that is restored from a copy makes one, and hardly anybody does that eight
 * times.
 */
export const MAX_LOG_BRANCHES = 8;
/** Marks that one log's head has at most: its branches' ends, and one for each doubling of the way back. */
export const MAX_LOG_MARKS = 32;
/** People are told of names dated further ahead than this, ms: no honest clock is that far off. */
export const MAX_AHEAD_MS = 24 * 60 * 60_000;
/**
 * Clocks follow what is dated at most this far ahead, ms; names that are dated further ahead wait. Half of
 * MAX_AHEAD_MS: what an honest device writes after following a date is told of by no other, as their clocks
 * differ by hours at most (time zones set wrong). One bound for both: a name that shows but is not followed
 * could not be changed.
 */
export const MAX_FOLLOWED_MS = MAX_AHEAD_MS / 2;
/**
 * Records in one `entries` message; with MAX_MESSAGE_BYTES it bounds what a peer makes us hold and check at
 * once.
 */
export const MAX_ENTRIES_PER_MESSAGE = 64;
/** Devices that one catalogue knows. */
export const MAX_DEVICE_COUNT = 1_000;

/**
 * A message on a link, bytes: a fragment index of MAX_SEGMENT_COUNT blocks (2 MiB and a little), the largest
 * there is.
 */
export const MAX_MESSAGE_BYTES = 2.25 * 1024 * 1024;
/**
 * One frame on a data channel, bytes: below every engine's limit, and short enough for control to overtake
 * bulk.
 */
export const FRAME_BYTES = 64 * 1024;
/**
 * Send-queue marks of the data channel, bytes: enough to fill a LAN link, little enough to keep control
 * prompt.
 */
export const SEND_QUEUE_HIGH_BYTES = 1024 * 1024;
export const SEND_QUEUE_LOW_BYTES = 256 * 1024;
/** Messages waiting for one link per lane: beyond it the peer is not reading, and the link is closed. */
export const MAX_QUEUED_MESSAGES = 4_096;

/** A sealed signaling envelope, bytes: an SDP with many candidates stays well below 16 KiB. */
export const MAX_ENVELOPE_BYTES = 32 * 1024;
/** A frame to or from the relay, bytes: an envelope and its addressing. */
export const MAX_RELAY_FRAME_BYTES = 40 * 1024;
/** Clients in one relay room, and rooms in one relay. */
export const MAX_ROOM_CLIENTS = 256;
export const MAX_ROOMS = 1_024;
/** Links of one device: Chromium caps a page at 500 PeerConnections, uncollected ones included. */
export const MAX_LINK_COUNT = 200;

/** Requests that we let a peer have open with us, and that we open with a peer. */
export const MAX_OPEN_REQUESTS = 64;
/**
 * Stores whose blocks one device may foretell us, and all of those blocks together: 4 GiB; more hints are
 * ignored.
 */
export const MAX_FORETOLD_JOBS = 16;
export const MAX_FORETOLD_BLOCKS = 16_384;
/**
 * Foretold blocks are kept this long without a sign of their store, ms: its page may be reloading, its laptop
 * asleep.
 */
export const SOON_KEEP_MS = 10 * 60_000;

/** Blocks of a fragment that a proof looks at: one that lacks half of them passes once in 256. */
export const PROOF_BLOCKS = 8;
/**
 * Bytes of each block that a proof hashes: whole blocks of small files, and little of the disk's time for
 * others.
 */
export const PROOF_RANGE_BYTES = 16 * 1024;
/**
 * Blocks that one challenge may make its receiver read: 64 small fragments, or 8 large ones (16 MiB at most).
 */
export const MAX_CHALLENGE_BLOCKS = 64;
/**
 * Challenges of one device that are being answered. Honest ones ask one at a time, and another after a
 * deadline.
 */
export const MAX_OPEN_PROOFS = 4;
/**
 * A challenge is answered within this, ms: a busy phone reads 16 MiB in half of it, and others wait for what
 * it asks about.
 */
export const CHALLENGE_DEADLINE_MS = 5_000;
/** Who failed a challenge is asked again after this, ms, and after twice as long each time it fails again. */
export const CHALLENGE_RETRY_MS = 60_000;

/** A control request is answered within this, ms, or counts as failed. */
export const CONTROL_DEADLINE_MS = 10_000;
/** A block is answered within this, ms: 256 KiB at 25 kB/s. */
export const BLOCK_DEADLINE_MS = 10_000;

/** A device holds at most this many fragments of one file, so that fewer than k are ever on one device. */
export function fragmentCap(k: number): number {
  return k === 1 ? 1 : k - 1;
}
