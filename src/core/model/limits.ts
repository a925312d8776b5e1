// Every bound that Palm puts on sizes, counts and waiting, with its unit and its reason.

/**
 * One block at most, bytes: four 64 KiB frames. Large enough for IndexedDB and SIMD, small enough to hedge.
 */
export const BLOCK_BYTES = 256 * 1024;

/**
 * Full blocks with k = 4, the usual one, bytes: a segment is then 944 KiB. Engines map memory for pieces of
 * some 1 MiB afresh each time, and give it back (docs/decisions/0013-segments-below-a-mebibyte.md).
 */
export const USUAL_BLOCK_BYTES = 236 * 1024;

/**
 * The least size of full blocks in a file of several segments, bytes: an index is then 0.05 % of its
 * fragment. With blocks of one byte it would be 34 times as large, in space that no device offered.
 */
export const MIN_BLOCK_BYTES = 64 * 1024;

/** AES-GCM's authentication tag, bytes (NIST SP 800-38D). */
export const GCM_TAG_BYTES = 16;

/** Reed-Solomon over GF(2^8) and Shamir's x = i + 1 <= 255 allow no more fragments than this. */
export const MAX_FRAGMENT_COUNT = 255;

/** The first geometry of a pool that has not yet measured its devices. */
export const DEFAULT_K = 4;
export const DEFAULT_N = 8;

/** Devices beside an anchor that each get a fragment of a new file. More would cost n / k and memory. */
export const MAX_ANCHORED_OTHERS = 20;
/** Devices that a pool's policy names as anchors. All hold the same, so more make nothing safer. */
export const MAX_ANCHORS = 4;

/** Segments in one file at most: their hashes must fit a fragment index message (32 bytes each). */
export const MAX_SEGMENT_COUNT = 65_536;

/**
 * Small keys of what must be erasable on one device, one for each fragment, unfinished store and pool: 32
 * bytes each in memory.
 */
export const MAX_KEY_SLOTS = 2 ** 22;

/** File names, in UTF-16 units: what Windows and macOS allow for one component. */
export const MAX_NAME_UNITS = 255;
/** Their form in records, in UTF-8 bytes; longer names are written in two parts (catalogue/long-names.ts). */
export const MAX_NAME_BYTES = 255;
/** Folder paths, in UTF-8 bytes: Linux's PATH_MAX. */
export const MAX_PATH_BYTES = 4096;
export const MAX_MIME_BYTES = 255;
export const MAX_DEVICE_NAME_BYTES = 64;
export const MAX_POOL_NAME_BYTES = 64;
/** Entries in one page of the record: some 50 ms of a slow phone to check. */
export const MAX_RECORD_PAGE = 1_000;
/** Devices with a line of their own for each kind of security event; all others share one. */
export const MAX_SECURITY_EVENTS_OF_KIND = 50;
/** Of a device's lock. Fewer are guessed in an afternoon, however slow a guess is made. */
export const MIN_PASSPHRASE_CHARS = 8;
/** Far beyond any sentence that a person remembers. */
export const MAX_PASSPHRASE_BYTES = 1024;
/** What an authenticator may name a credential by, bytes (WebAuthn, section 4). */
export const MAX_CREDENTIAL_ID_BYTES = 1023;
/** What a passkey's secret is made from, and the secret, bytes (WebAuthn, section 10.1.4). */
export const PASSKEY_SALT_BYTES = 32;
export const PASSKEY_SECRET_BYTES = 32;

/** Text in which a link is looked for, in characters: a mail with its signature, pasted whole. */
export const MAX_PASTED_CHARS = 16_384;

/** A signed catalogue record, bytes: a manifest of 255 fragments (36-byte CIDs) and a full path fit well. */
export const MAX_RECORD_BYTES = 64 * 1024;
/** The name of a record's kind, bytes: no version has a longer one. */
export const MAX_KIND_BYTES = 32;
/** Records of one device's log. */
export const MAX_LOG_LENGTH = 1_000_000;
/** An act (FORMATS.md, acts), bytes: keys for 256 devices fit. */
export const MAX_ACT_BYTES = 32 * 1024;
/** Devices that one invite admits. */
export const MAX_INVITE_USES = 1_000;
/** Acts that an invite names, so that nobody shows its newcomer an older state of the pool. */
export const MAX_TICKET_HEADS = 4;
/** Invites that a device keeps in memory, whoever made them: those that expire last. */
export const MAX_KNOWN_INVITES = 256;
/** Links that a device has at one door: whoever holds the invite can ask for one. */
export const MAX_DOOR_LINKS = 8;
/** Doors at which a device waits, each a connection with the relay. */
export const MAX_DOORS = 8;
/** How long an invite may be valid, ms: a year. */
export const MAX_INVITE_MS = 366 * 24 * 60 * 60_000;
/**
 * A pairing code: with its prefix, in base32, 309 of the 311 characters of a QR code of version 10 with error
 * correction M (ISO/IEC 18004, table 7).
 */
export const MAX_PAIR_CODE_BYTES = 190;
/** In a direct address: a cable, wireless, and each twice. */
export const MAX_DIRECT_ADDRESS_COUNT = 4;
/** Calls at a direct address at once: a household that comes in together. */
export const MAX_DIRECT_CALLS = 8;
/** Of them from one address: so one that has the address does not keep the others out. */
export const MAX_DIRECT_CALLS_PER_HOST = 4;
/** Calls that were answered and are not answered again: of an hour, at one a few seconds. */
export const MAX_REMEMBERED_CALLS = 1_024;
/** An invite admits this long after its expiry, ms: the clocks of two devices differ by minutes at most. */
export const INVITE_TOLERANCE_MS = 10 * 60_000;
/** Acts count for more against the following bounds the larger they are: 8 KiB each on average at most. */
export const ACT_UNIT_BYTES = 8 * 1024;
/** Acts of one device: more than an admin does in years. */
export const MAX_ACTS_OF_ADMIN = 1_000;
/** So many of these, or units, may be spent on changing keys by their age: the rest is for shut-outs. */
export const MAX_ACTS_BEFORE_AGE = MAX_ACTS_OF_ADMIN / 2;
export const MAX_ACTS_OF_MEMBER = 100;
/**
 * Acts of a pool: 32 MiB. What is beyond counts for nothing, and so do acts of admins beyond the second
 * bound, unless they have the rank of the founder, and others' beyond the third: who floods can still be shut
 * out.
 */
export const MAX_ACT_COUNT = 4_096;
export const MAX_ADMIN_ACT_COUNT = 3_072;
export const MAX_MEMBER_ACT_COUNT = 2_048;
/**
 * Acts that are kept back until what they have seen is here: those of one writer, and those of all whom no
 * act here names. The oldest are forgotten, and sent again.
 */
export const MAX_WAITING_ACTS = 1_000;
export const MAX_WAITING_ACTS_OF_STRANGERS = 256;
/** Acts of which is known who needs them, here or not. */
export const MAX_NEEDS = 65_536;
/** Acts in one message, together at most as large as entries may be. */
export const MAX_ACTS_PER_MESSAGE = 64;
/** Acts of others that an act names as seen. */
export const MAX_SEEN_ACTS = 16;
/** Devices, keys or undone acts that one act names. */
export const MAX_NAMED_BY_ACT = 256;
/** Devices that one recovery shuts out. */
export const MAX_RECOVERED_FROM = 16;
/** Acts by which a device notes that others used a recovery code: it has room for others as well. */
export const MAX_NOTES = 16;
/** Acts of each of them that count no more, although the writer had seen them. */
export const MAX_UNDONE_BY_RECOVERY = 32;
/** Why a device was shut out, for people. */
export const MAX_REASON_BYTES = 255;
/** Charters of others that a device keeps while it follows none. */
export const MAX_OFFER_BYTES = 32_000;
export const MAX_OFFERED_EPOCHS = 512;
/** Of one device's log, in an offer. */
export const MAX_STRETCHES = 8;
/** Acts that a device keeps of other parts of its pool, in units. */
export const MAX_PARTS_UNITS = 8_192;
export const MAX_CHARTERS = 8;
/** Epochs of a pool: each but the first begins with an act. */
export const MAX_EPOCH_COUNT = MAX_ACT_COUNT + 1;
/** Rooms of earlier epochs in which a device listens for those that slept: a connection to the relay each. */
export const MAX_EARLIER_ROOMS = 4;
/** Epochs that do not count whose secrets a device keeps all the same: they may have sealed honest files. */
export const MAX_VOID_EPOCHS = 64;
/** By so many of its first bytes a sealed key names the exchange key that it is sealed to. */
export const EXCHANGE_START_BYTES = 8;
/** Exchange keys that one device publishes in the course of time, and keeps. */
export const MAX_EXCHANGE_PAIRS = 64;
/** The secrets of all epochs of a pool, as they are sealed for a device: some 80 bytes each. */
export const MAX_SEALED_KEYS_BYTES = 384 * 1024;
/**
 * Records of one device's log, bytes, not counting the last: some 115,000 files of the usual geometry. A
 * device can make the others keep this much in memory, and no more.
 */
export const MAX_LOG_BYTES = 96 * 1024 * 1024;
/**
 * A device keeps this much of its log free of files, bytes: for thousands of removals, names, and its leave.
 */
export const LOG_RESERVE_BYTES = 1024 * 1024;
/**
 * Branches of one log: restoring a browser from a copy makes one, and hardly anybody does that eight times.
 */
export const MAX_LOG_BRANCHES = 8;
/** Marks in one log's head at most: its branches' ends, and one for each doubling of the way back. */
export const MAX_LOG_MARKS = 32;
/**
 * How long, ms, fragments of a content without a name are kept while a member may have a name for it: as long
 * as a device may well be away, such as a laptop over a holiday week.
 */
export const GRACE_MS = 7 * 24 * 60 * 60_000;
/**
 * How long a pool may let a device be away before it counts as gone, ms. Less than the lower bound would call
 * a page that reloads gone; more than a year is as good as never.
 */
export const MIN_MEMBER_GRACE_MS = 10_000;
export const MAX_MEMBER_GRACE_MS = 366 * 24 * 60 * 60_000;
/** Items of one kind that the list of what happened keeps: of a bad month. */
export const MAX_ACTIVITY_OF_KIND = 50;
/** The least share of a link that a pool may give to repair: with less, a lost laptop takes years. */
export const MIN_REPAIR_SHARE = 0.01;
/**
 * How old a pool's keys may get before an admin's device changes them, ms. An admin has a thousand acts, each
 * change takes one or more of them, and a device that sleeps for a month still finds the others.
 */
export const MIN_ROTATION_MS = 7 * 24 * 60 * 60_000;
/** What an entry may say: less than the above counts as that. */
export const MIN_READ_ROTATION_MS = 60 * 60_000;
export const MAX_ROTATION_MS = 366 * 24 * 60 * 60_000;
/** What a pool's policy may limit or demand of one device, bytes. */
export const MIN_QUOTA_BYTES = 1_000_000;
export const MAX_QUOTA_BYTES = 10 ** 15;
/** People are told of names dated further ahead than this, ms: no honest clock is that wrong. */
export const MAX_AHEAD_MS = 24 * 60 * 60_000;
/**
 * Clocks follow dates at most this far ahead, ms; names dated further ahead wait. It is half of MAX_AHEAD_MS,
 * so that nobody reports what an honest device writes after following a date: honest clocks differ by hours
 * at most (time zones set wrong). Both uses share one bound: a name that shows but is not followed could not
 * be changed.
 */
export const MAX_FOLLOWED_MS = MAX_AHEAD_MS / 2;
/**
 * Records in one `entries` message. With MAX_MESSAGE_BYTES it bounds what a peer can make us hold and check.
 */
export const MAX_ENTRIES_PER_MESSAGE = 64;
/** Devices that one catalogue knows. */
export const MAX_DEVICE_COUNT = 1_000;

/** A message on a link, bytes: a fragment index of MAX_SEGMENT_COUNT blocks takes a little over 2 MiB. */
export const MAX_MESSAGE_BYTES = 2.25 * 1024 * 1024;
/** One frame on a data channel, bytes: below every engine's limit, and control soon overtakes bulk. */
export const FRAME_BYTES = 64 * 1024;
/**
 * Send-queue marks of the data channel, bytes: enough to fill a LAN link, low enough to keep control prompt.
 */
export const SEND_QUEUE_HIGH_BYTES = 1024 * 1024;
export const SEND_QUEUE_LOW_BYTES = 256 * 1024;
/**
 * Second connections of one device: where bytes flow with more devices than this, each already has a socket
 * and a window of its own, and more bring nothing (docs/decisions/0097).
 */
export const MAX_SECOND_COUNT = 2;
/**
 * What is kept for one second connection until the other end has counted it, bytes: a reader has about as
 * much under way with one holder.
 */
export const MAX_SECOND_BYTES = 4 * 1024 * 1024;
/** Messages waiting for one link, per lane: with more the peer is not reading, and the link is closed. */
export const MAX_QUEUED_MESSAGES = 4_096;

/** A sealed signaling envelope, bytes: an SDP with many candidates stays well below 16 KiB. */
export const MAX_ENVELOPE_BYTES = 32 * 1024;
/** A frame to or from the relay, bytes: an envelope and its addressing. */
export const MAX_RELAY_FRAME_BYTES = 40 * 1024;
/** Clients in one relay room, and rooms in one relay. */
export const MAX_ROOM_CLIENTS = 256;
export const MAX_ROOMS = 1_024;
/** Pools that one relay lists as nearby. */
export const MAX_LISTED_POOLS = 32;
/** A letter between a device that asks to join and one that listed its pool, bytes: an invite, sealed. */
export const MAX_NEARBY_BYTES = 4 * 1024;
/** Asks to join that a device keeps at a time: more would only hide those of people who are there. */
export const MAX_ASKS = 4;
/** Links of one device: Chromium caps a page at 500 PeerConnections, uncollected ones included. */
export const MAX_LINK_COUNT = 200;

/** Requests that a peer may have open with us, and we with a peer. */
export const MAX_OPEN_REQUESTS = 64;
/** A token of the lane, bytes: nobody guesses it. */
export const LANE_TOKEN_BYTES = 32;
/** How long a token of the lane is good, ms, and how soon it is replaced: a slept minute costs nothing. */
export const LANE_LIFE_MS = 10 * 60_000;
export const LANE_RENEW_MS = 4 * 60_000;
/** What a device may say of that, ms: an hour. */
export const MAX_LANE_LIFE_MS = 60 * 60_000;
/** Tabs of one browser that share its device with the one that runs it. */
export const MAX_TABS = 64;
/** Links of private files that a tab keeps for the next tab that runs the device. */
export const MAX_PRIVATE_LINKS = 1_000;
/** Origins of one relay: its addresses and names. */
export const MAX_LANE_ORIGINS = 32;
export const MAX_ORIGIN_BYTES = 300;
/**
 * Blocks that one request of the lane asks for: 4 MiB, because a request costs a browser about as much as
 * moving a MiB. Each is used as it comes.
 */
export const LANE_ASKED_BLOCKS = 16;
/** Blocks that one request of the lane brings: 1 MiB, which is kept until it is whole. */
export const LANE_RUN_BLOCKS = 4;
/** Requests of the lane, each way, that a device makes at a time: browsers open six connections. */
export const LANE_REQUESTS = 2;
/**
 * Without a byte for this long, ms, a request for blocks has failed, and so has one that brings some and
 * takes longer: 1 MiB at 260 kB/s. The link goes on.
 */
export const LANE_PATIENCE_MS = 4_000;
/** After a request that failed the lane is left alone for this long, ms. */
export const LANE_REST_MS = 30_000;

/** Stores that one device may foretell us, and all of their blocks: 4 GiB. Further hints are ignored. */
export const MAX_FORETOLD_JOBS = 16;
export const MAX_FORETOLD_BLOCKS = 16_384;
/**
 * Foretold blocks are kept this long without a sign of their store, ms: its page may be reloading, or its
 * laptop asleep.
 */
export const SOON_KEEP_MS = 10 * 60_000;

/** Blocks of a fragment that a proof covers: a holder that lacks half of them passes once in 256. */
export const PROOF_BLOCKS = 8;
/** Bytes of each block that a proof hashes: whole blocks of small files, and a quick disk read for others. */
export const PROOF_RANGE_BYTES = 16 * 1024;
/**
 * Blocks that one challenge may make its receiver read: 64 small fragments, or 8 large ones (at most 16 MiB).
 */
export const MAX_CHALLENGE_BLOCKS = 64;
/** Challenges of one device being answered. An honest one opens another only after a deadline. */
export const MAX_OPEN_PROOFS = 4;
/**
 * A challenge must be answered within this, ms. A busy phone reads 16 MiB in half of it, and others wait for
 * the fragments in question.
 */
export const CHALLENGE_DEADLINE_MS = 5_000;
/** A device that failed a challenge is asked again after this, ms; the wait doubles with each failure. */
export const CHALLENGE_RETRY_MS = 60_000;

/**
 * Fragments that a device keeps because it proved to have them, each for some seconds: 64 challenges of 64
 * small fragments. With more it keeps everything as long.
 */
export const MAX_PLEDGES = 4_096;

/** A device's signed word that it is alive, bytes: some 240 are used. */
export const MAX_ALIVE_BYTES = 512;
/** Members that one message asks about: 2 kB a minute to each of three neighbours while many are away. */
export const MAX_BELIEFS_PER_MESSAGE = 32;
/** Signed words in one message: each answers a belief. */
export const MAX_RECORDS_PER_MESSAGE = 32;

/** A control request must be answered within this, ms, or it counts as failed. */
export const CONTROL_DEADLINE_MS = 10_000;
/** A block must arrive within this, ms: 256 KiB at 25 kB/s. */
export const BLOCK_DEADLINE_MS = 10_000;
/**
 * A deadline moves while the device answers other requests, which it may work through in turn; but never
 * further than this from the request, ms.
 */
export const MAX_REQUEST_MS = 60_000;

/**
 * What any link is taken to carry, bytes a second. On slower ones repairs use more than their share, or they
 * would take days.
 */
export const MIN_LINK_BYTES_PER_S = 500_000;

/** Files that a device keeps as much of as it may: each costs looks, and a fetch of k - 1 fragments. */
export const MAX_PINNED_FILES = 10_000;

/**
 * Small files mostly wait for disks and for answers of other devices: so many are stored together, while they
 * have no more bytes than this.
 */
export const MAX_SMALL_STORES = 32;
export const SMALL_STORES_BYTES = 2 * 2 ** 20;

/** The most fragments of one file that a device holds, so that no device alone ever has k. */
export function fragmentCap(k: number): number {
  return k === 1 ? 1 : k - 1;
}
