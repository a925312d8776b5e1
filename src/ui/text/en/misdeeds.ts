// English: the sentences about a member that does something to the others: who, what, how many, and what can
// still be done.

import { MAX_DEVICE_COUNT, MAX_LOG_BRANCHES } from '../../../core/model/limits.ts';
import type { Notice } from '../../../runtime/notice.ts';

type Misdeed = Extract<Notice, { readonly kind: 'misdeed' }>['what'];

/** `name`: quoted. `count`: the total since the notice was last dismissed or this page began. */
export function misdeedText(what: Misdeed, name: string, count: number): string {
  switch (what) {
    case 'removed-files':
      return `${name} removed ${counted(count, 'file')} that other devices had stored. What was stored of them is deleted. Whoever has an original can store it again. If this was not meant well, start a new pool and invite everyone else: nobody can be shut out of this one.`;
    case 'forged-records':
      return `${name} sent ${counted(count, 'record')} that ${count === 1 ? 'is' : 'are'} not genuine. Nothing of it was kept, and nothing here changed. If this goes on, you can close Palm on that device, or start a new pool without it.`;
    case 'forked-log': {
      const kept =
        count < MAX_LOG_BRANCHES
          ? 'All parts are kept, and nothing is lost.'
          : `At most ${MAX_LOG_BRANCHES} parts are kept.`;
      return `The log of ${name} split${count === 1 ? '' : ` ${count.toLocaleString('en')} times`}: its browser lost its last records and wrote on, or somebody else has its key. ${kept} If it happens again, let that device leave the pool and join anew.`;
    }
    case 'overfull-log':
      return `${name} wrote more than a device's log may hold: ${counted(count, 'record')} of it ${count === 1 ? 'is' : 'are'} not kept, on any device. What those would have stored or removed does not count. Other devices can still store files.`;
    case 'false-claims':
      return `${name} claimed to hold ${counted(count, 'fragment')} of files stored here, and could not prove it. ${count === 1 ? 'It does' : 'They do'} not count, and this device keeps its own until others hold them. If this goes on, let that device leave the pool.`;
    case 'false-equal':
      return `${name} had published ${counted(count, 'file')} as if ${count === 1 ? 'it were' : 'they were'} the same as yours, with other bytes. ${count === 1 ? 'Yours was' : 'Yours were'} compared and stored anew; nothing is lost. Remove ${count === 1 ? 'that file' : 'those files'} if nobody wants ${count === 1 ? 'it' : 'them'}.`;
    case 'future-name':
      return `${name} wrote ${counted(count, 'name')} dated more than a day ahead: probably its clock is wrong. ${count === 1 ? 'It' : 'Each'} counts once its time has come. Set that device's clock, then give the name again.`;
    case 'withheld':
      return `${name} says that it holds ${counted(count, 'fragment')} that it did not give when asked. They were fetched from other devices. Do not count on what ${name} holds: keep the originals of files that show few other devices. If its browser lost its storage, let that device leave the pool and join anew.`;
  }
}

/** About all devices beyond those named in notices of their own. `count`: of all of them together. */
export function misdeedOfOthersText(what: Misdeed, deviceCount: number, count: number): string {
  const least = deviceCount < MAX_DEVICE_COUNT ? '' : 'at least ';
  const who = `${least}${counted(deviceCount, 'other device')}`;
  return `${didText(what, `And ${who}`, count)} ${deviceCount === 1 ? 'It may be one of those before under a made-up name.' : 'They may be one device under made-up names.'} If this goes on, start a new pool, and invite only devices that you know.`;
}

function didText(what: Misdeed, who: string, count: number): string {
  switch (what) {
    case 'removed-files':
      return `${who} removed ${counted(count, 'file')} that other devices had stored.`;
    case 'forged-records':
      return `${who} sent ${counted(count, 'record')} that ${count === 1 ? 'is' : 'are'} not genuine. Nothing of it was kept.`;
    case 'forked-log':
      return `${who} wrote parts of their logs twice, ${counted(count, 'time')} in all.`;
    case 'overfull-log':
      return `${who} wrote more than a device's log may hold: ${counted(count, 'record')} ${count === 1 ? 'is' : 'are'} not kept.`;
    case 'false-claims':
      return `${who} claimed to hold ${counted(count, 'fragment')} of files stored here, and could not prove it. ${count === 1 ? 'It does' : 'They do'} not count.`;
    case 'false-equal':
      return `${who} had published ${counted(count, 'file')} as if the same as yours, with other bytes. Nothing is lost.`;
    case 'future-name':
      return `${who} wrote ${counted(count, 'name')} dated more than a day ahead.`;
    case 'withheld':
      return `${who} did not give ${counted(count, 'fragment')} when asked. Do not count on what they say they hold: keep the originals.`;
  }
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count.toLocaleString('en')} ${noun}s`;
}
