// The command line's own words, in English. What a failure of the pool means is told by the words of the
// screens (src/ui/text), which the device puts into its answers.

import type { FolderTrouble } from '../adapters/node/store/folder-error.ts';

export const words = {
  noSuchFile: 'There is no such file, or it vanished while it was read. Nothing was stored.',
  isFolder: 'This is a folder, not a file. `palm add FOLDER` adds the files in it.',
  notAllowed: 'The device may not read this file. Nothing was stored.',
  diskFull: 'The disk is full. Nothing was stored; what the pool has is safe. Make room, and try again.',
  bug: (message: string) => `This is a bug of Palm: ${message}`,
  noDevice: (path: string) => `No device runs in ${path}, and none could be started. \`palm up\` shows why.`,
  deviceGone: 'The device ended while it was asked. What it had acknowledged is safe.',
  notInPool: 'This device is in no pool. `palm create NAME` makes one, `palm join` joins one.',
  unknownFile: (name: string) => `The pool has no file ${JSON.stringify(name)}. \`palm ls\` lists its files.`,
  ambiguous: (name: string, ids: readonly string[]) =>
    `The pool has ${ids.length} files ${JSON.stringify(name)}. Name one by its id:\n  ${ids.join('\n  ')}`,
  exists: (path: string) => `${path} is there already. --force replaces it; another OUT leaves it.`,
  twoInputs: 'Standard input can be read once: `-` may be given once.',
  inviteInArguments:
    'Note: every user of this machine can read the invite in its list of processes. `palm join -` reads it from standard input.',
  unknownCommand: (name: string) => `There is no command ${JSON.stringify(name)}. All of them: palm --help`,
  noCommand: 'What should Palm do? All commands: palm --help',
  badDuration: (given: string) =>
    `--expires takes a time such as 30m, 12h or 7d, not ${JSON.stringify(given)}.`,
  badRole: (given: string) => `A role is admin, member or reader, not ${JSON.stringify(given)}.`,
  roleGiven: (name: string, role: string) => `${name} is ${role === 'admin' ? 'an admin' : `a ${role}`} now.`,
  shutOut: (name: string) =>
    `${name} is shut out. No device gives it anything any more, and it opens nothing that is stored from now on.`,
  recoveryCode:
    'Write it down and keep it where nobody else finds it: Palm shows it once. With it a device of the pool becomes an admin when all admins are lost.',
  unknownDevice: (name: string) =>
    `The pool has no device ${JSON.stringify(name)}. \`palm peers\` lists them.`,
  ambiguousDevice: (name: string, ids: readonly string[]) =>
    `The pool has ${ids.length} devices ${JSON.stringify(name)}. Name one by its id:\n  ${ids.join('\n  ')}`,
  badPlacement: (given: string) => `A placement is anchored or spread, not ${JSON.stringify(given)}.`,
  placement: (placement: string | null) =>
    placement === 'anchored'
      ? 'Anchored: a device that is always on, with any one other, opens every file. Neither opens one alone.'
      : 'Spread: files open while several devices are awake.',
  joining: 'Waiting for a device of the pool to let this one in ...',
  interrupted: 'Interrupted. What was acknowledged is safe. A `get` goes on where it stopped.',
  joined: 'Joined.',
  joinedAlone: 'Joined, but no other device of the pool has answered yet. This one goes on trying.',
  created: (name: string) => `Created the pool ${JSON.stringify(name)}. \`palm invite\` invites devices.`,
  added: (name: string, id: string) => `${name}  ${id}`,
  alreadyThere: (name: string, id: string) => `${name}  ${id}  (the pool had these bytes)`,
  noFolderCid: (path: string) =>
    `${path}/ has no CID here: it has no files, or is longer than IPFS keeps in one piece. Its files have theirs.`,
  removed: (name: string) => `Removed ${name}.`,
  moved: (before: string, name: string) => `${before} -> ${name}`,
  notMoved: (why: string) => `${why} Nothing was moved.`,
  halfMoved: (why: string, moved: readonly string[], count: number) =>
    [
      `${why} ${moved.length} of ${count} files were moved and could not be moved back; the others are where they were. Moved are:`,
      ...moved,
    ].join('\n'),
  nameTaken: (name: string) =>
    `The pool has a file ${JSON.stringify(name)} already. Nothing was moved. Another name, or \`palm rm\` first.`,
  intoItself: (folder: string) => `${JSON.stringify(folder)} cannot be moved into itself. Nothing was moved.`,
  noNewName: 'The new name is empty. A name such as letters/may.txt, or a folder with a slash at its end.',
  pinned: (name: string, held: number, wanted: number) =>
    held < wanted
      ? `${name} is pinned here: ${held} of ${wanted} fragments, the others follow. With one more, from any device, it opens here.`
      : `${name} is pinned here.`,
  unpinned: (name: string) => `${name} is not pinned here any more: this device keeps its own share.`,
  allWhole: 'Every file has all of its fragments, counting those of devices that are away.',
  lacks: (count: number) => `${count} missing`,
  restoring: (percent: number) => `restoring, ${percent} %`,
  waitsForRepair: 'waits',
  repairWaits:
    'What waits begins as soon as k fragments of it can be reached, and devices have room. `palm repair` again shows how far it is.',
  noRelays:
    'No relay answered on this network. Some networks keep devices from finding each other; an invite has the address.',
  noMulticast: (detail: string) => `This machine's network cannot be asked for relays: ${detail}`,
  relayAnswers: (answers: boolean) => (answers ? 'answers' : 'does not answer'),
  badWait: '--wait takes seconds, from 1 to 60.',
  left: 'Left the pool. Its keys are erased here.',
  stopped: 'The device has ended.',
  notEnding: (path: string) =>
    `The device in ${path} was told to end and still runs. \`${path}.log\` may say why; its process is in \`${path}/pid\`.`,
  running: (path: string) => `The device runs in ${path}. Ctrl-C ends it.`,
  keeps: (pool: string) => `This machine keeps files of the pool ${JSON.stringify(pool)}.`,
  reads: [
    'It is a member of the pool now: it can read every file that is not private, like every other member,',
    'as soon as k fragments can be reached. What lies on its disk are single fragments, which open nothing alone.',
  ].join('\n  '),
  inviteFor: 'Open this on another device, or scan it, to join:',
  noInviteShown:
    '`palm invite` prints an invite; it is not printed here, because journals keep what is printed.',
  anotherCid: 'What came does not have this CID, whatever the file says. It is not what you asked for.',
  verified: (name: string, byteCount: string) => `${name}: all ${byteCount} are there and unchanged.`,
  phases: {
    naming: 'computing its CID',
    hashing: 'reading',
    sealing: 'sealing',
    placing: 'placing',
    reading: 'reading',
  },
  relay: { connecting: 'connecting', connected: 'connected', lost: 'lost' },
  pool: 'pool',
  device: 'device',
  relayLabel: 'relay',
  devices: 'devices',
  files: 'files',
  safe: 'safe',
  holders: (name: string, fragments: readonly number[]) => `${name}: ${fragments.join(', ')}`,
  doctor: {
    sqlite: 'SQLite',
    webRtc: 'WebRTC',
    there: 'there',
    notRunning: 'It does not run. Its folder and its relay were looked at without it.',
    start: '`palm up` runs it; so does any command that needs it.',
    wayRound: 'What to do:',
    unsafe: (count: number, total: number) =>
      count === 0
        ? `all ${total} survive the loss of any one device`
        : `${count} of ${total} could be lost with one device`,
    missing: (count: number) =>
      count === 1 ? 'One thing needs attention.' : `${count} things need attention.`,
  },
  token: {
    badName:
      'A token needs a name of 1 to 64 letters, digits, spaces, dots, hyphens and underscores (--name).',
    noScope: 'A token needs a scope: --scope read, add or admin, or several: --scope read,add.',
    badScope: (given: string) => `There is no scope ${JSON.stringify(given)}. There are read, add and admin.`,
    endsAtOnce: 'A token must last for a while, such as --expires 30d.',
    nameTaken: (name: string) =>
      `There is a token ${JSON.stringify(name)} already. Another name, or \`palm token rm\` first.`,
    tooMany: (count: number) => `There are ${count} tokens. \`palm token rm\` makes room.`,
    unknown: (which: string) => `There is no token ${JSON.stringify(which)}. \`palm token ls\` lists them.`,
    badFile: (path: string) => `${path} cannot be read: no token counts. Delete the file to make new ones.`,
    unknownAction: (given: string) =>
      `A token can be created, listed (ls) and removed (rm), not ${JSON.stringify(given)}.`,
    which: 'Which token? `palm token rm NAME`; `palm token ls` lists them.',
    shownOnce: 'This is shown once. Whoever has it may use this device as its scopes say.',
    removed: (name: string) => `Removed the token ${name}. It counts no more.`,
    never: 'does not expire',
    until: (time: string) => `until ${time}`,
  },
  gateway: {
    on: (url: string) => `The gateway is at ${url}, for programs with a token (\`palm token create\`).`,
    off: 'The gateway is off.',
    notEncrypted:
      'Note: others on the network can read what passes there, tokens too. Put a proxy with a certificate in front, or listen on 127.0.0.1.',
    badPort: 'A port is a number from 0 to 65535; 0 takes one that is free.',
    needsName:
      'Where the gateway listens on all addresses, --name says what others call it, such as nas.local.',
    cannotListen: (host: string, port: number, code: string) =>
      `The gateway cannot listen on ${host}, port ${port} (${code}). Another port: palm gateway --port`,
    wrongHost:
      'This gateway is not called by that name. `palm gateway` prints its address, --name changes it.',
    crossSite: 'Another site caused this request. Nothing was done. Open the address directly.',
    noToken:
      'A token is needed: as "Authorization: Bearer TOKEN", or as the password of any user. `palm token create` makes one.',
    scope: (scope: string) =>
      `This token does not have the scope ${JSON.stringify(scope)}. Nothing was done.`,
    badPath:
      'This path names nothing: "..", ".", empty parts, and escaped slashes and control characters are refused.',
    nothingHere: 'There is no such file or folder here.',
    noSuchCid: 'The pool has no file of which this CID is known to be true. Folders have none here.',
    checkingCid: 'Others are being read to see whether their CIDs are true. Try again in a moment.',
    method: 'GET, HEAD, PUT, POST and DELETE are known here.',
    otherFile: 'If-Match names another file. Nothing was sent.',
    thereAlready: 'There is a file of that name already. Nothing was stored.',
    beyondEnd: (size: number) => `The range begins beyond the file’s end: it has ${size} bytes.`,
    belowK: (reach: number, k: number) =>
      `Only ${reach} of the ${k} fragments that open this file can be reached now. Wake another device, and try again.`,
    noName: 'The file needs a name: in the path, as ?name=, or in Content-Disposition. Nothing was stored.',
    postToFolder: 'POST takes the path of a folder, with a slash at its end; PUT takes the path of a file.',
    partialPut: 'Files are stored whole: a PUT with Content-Range is refused. Nothing was stored.',
    plainBody: 'The body must be the file’s own bytes, neither compressed nor a form. Nothing was stored.',
    busy: 'Too many files are being sent and taken here. Try again in a moment.',
    bug: 'This is a bug of Palm. The device’s log says more.',
    above: 'Folder above',
    notNow: 'not readable now',
  },
  man: {
    summary: 'use the pool of this device from the shell',
    description:
      'Palm pools the storage of the devices on one network. A file is encrypted and split into n fragments, of which any k bring it back. ' +
      'palm speaks to the device of a data folder, and starts it in the background if it does not run.',
    exits: {
      done: 'Done.',
      bug: 'A bug, or the relay cannot start.',
      usage: 'A wrong command line, name, invite or range.',
      noDevice: 'No device runs, and none could be started.',
      noPool: 'The device is in no pool, or in one already.',
      noSuchFile: 'No such file, here or in the pool.',
      notReadable: 'The file cannot be read now: too few fragments can be reached.',
      storage: 'The disk is full or fails, or the folder cannot be used.',
      refused: 'Refused.',
      interrupted: 'Interrupted.',
    },
    environment: [
      ['PALM_LOG', 'How much a device logs: silent, fatal, error, warn, info, debug or trace.'],
      ['XDG_DATA_HOME', 'Where data folders are, on Linux.'],
    ] as const,
  },
  nobody: 'No device is known to hold any of it.',
  folder(trouble: FolderTrouble): string {
    switch (trouble.kind) {
      case 'taken': {
        const who = trouble.pid === undefined ? 'Another process' : `Process ${trouble.pid}`;
        return `${who} runs the device in ${trouble.path}. One folder is one device: end that process, or give another folder by --data.`;
      }
      case 'newer':
        return `${trouble.path} was written by a newer version of Palm. Nothing in it was changed. Run that version.`;
      case 'foreign':
        return `${trouble.path} holds something else. Nothing in it was changed. Give an empty folder by --data.`;
      case 'unusable':
        return `${trouble.path} cannot be used (${trouble.code}). Palm must be able to write there.`;
      case 'no-sqlite':
        return [
          `Node ${trouble.node} has no SQLite of its own, and the package better-sqlite3 is not built for this machine.`,
          'Use Node 22.13 or newer, or run `npm rebuild better-sqlite3`, which needs a compiler.',
        ].join('\n');
    }
  },
  noWebRtc: (machine: string) =>
    `There is no WebRTC for this machine (${machine}): node-datachannel has binaries for Linux, macOS and Windows on x64 and arm64. A browser on it can be a device.`,
};
