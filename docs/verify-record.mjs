#!/usr/bin/env node
// Checks an exported record of a Palm pool without Palm: that every entry and every act is signed by the
// device that it names, that each device's log and its acts are whole chains, that the order is right, that
// acts come after those that they have seen, that whoever was let in showed a signed invite, that what is
// written in words follows from the signed bytes, and that the file is as the exporting device signed it. It
// needs Node 20 or later and nothing else, no network and no key of the pool. Which acts count is the
// exporting device's word: that rule is not here.
//
//   node verify-record.mjs palm-record-2026-11-30.jsonl
//
// It prints a line for each thing that is wrong, with the number of the line in the file, and ends with 0 if
// nothing is, else with 1. The formats are in FORMATS.md ("Log entry", "Acts", "The exported record").

import { createHash, createPublicKey, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

const ENTRY_LABEL = 'palm/v1/entry';
const ACT_LABEL = 'palm/v1/act';
const TICKET_LABEL = 'palm/v1/ticket';
const ADMISSION_LABEL = 'palm/v1/admission';
const RECOVER_LABEL = 'palm/v1/recover';
const EXPORT_LABEL = 'palm/v1/record-export';
/** An Ed25519 public key as SPKI (RFC 8410) is this and its 32 bytes. */
const SPKI_HEAD = Buffer.from('302a300506032b6570032100', 'hex');
/** CIDv1 (version, codec, sha2-256, 32 bytes): of records, and of raw bytes and keys. */
const CID_OF_CBOR = Buffer.from('01711220', 'hex');
const CID_OF_BYTES = Buffer.from('01551220', 'hex');
const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

const [path] = process.argv.slice(2);
process.exitCode = path === undefined ? usage() : report(check(readFileSync(path)));

function usage() {
  process.stderr.write('Usage: node verify-record.mjs FILE\n');
  return 2;
}

/** Returns the exit code. */
function report({ problems, notes }) {
  const wrong = problems.toSorted((a, b) => a.line - b.line).map(({ line, text }) => `line ${line}: ${text}`);
  const verdict = wrong.length === 0 ? 'Nothing is wrong.' : `Wrong in ${wrong.length} places.`;
  process.stdout.write([...wrong, ...notes, verdict].map((line) => `${line}\n`).join(''));
  return wrong.length === 0 ? 0 : 1;
}

function check(bytes) {
  const problems = [];
  const say = (line, text) => problems.push({ line, text });
  const lines = bytes.toString('utf8').split('\n');
  if (lines.at(-1) === '') lines.pop();
  const values = lines.map((text, at) => {
    try {
      return JSON.parse(text);
    } catch {
      say(at + 1, 'this is not JSON');
      return undefined;
    }
  });
  const head = values[0];
  if (head?.palmRecord !== 1 && head?.palmRecord !== 2)
    say(1, 'this is not the head of an exported record (version 1 or 2)');
  const isEnded = values.at(-1)?.end === true;
  const entries = [];
  const acts = [];
  values.slice(1, isEnded ? -1 : undefined).forEach((value, index) => {
    const line = index + 2;
    if (value === undefined) return;
    try {
      (isAct(value) ? acts : entries).push({ line, value, ...readEntry(value) });
    } catch (error) {
      say(line, error.message);
    }
  });
  for (const { line, value, entry } of entries) checkEntry(value, entry, head, (text) => say(line, text));
  checkOrder(entries, say);
  const forked = checkChains(entries, say);
  for (const { line, value, entry } of acts) checkAct(value, entry, head, (text) => say(line, text));
  checkSeen(acts, say);
  const forkedActs = checkChains(acts, say, 'act');
  checkDeviceNames(entries, [...entries, ...acts], say);
  const lineCount = values.length - 1 - (isEnded ? 1 : 0);
  const actCount = values.slice(1).filter(isAct).length;
  for (const [name, told, count] of [
    ['entries', head?.entries, lineCount - actCount],
    ['acts', head?.acts ?? 0, actCount],
  ])
    if (told !== count) say(1, `the head tells of ${told} ${name}, and there are ${count}`);
  if (isEnded) checkEnd(values.at(-1), lines, head, (text) => say(lines.length, text));
  else say(lines.length, 'the end is missing: lines may have been cut off');
  return { problems, notes: [...notesOn(entries, forked, head), ...notesOnActs(acts, forkedActs)] };
}

function isAct(value) {
  return value?.act !== undefined;
}

/** Of an entry or an act. @throws Error saying what is wrong with the signed bytes. */
function readEntry(value) {
  const record = bytesOf(value.record);
  const parts = decodeWhole(record, 'the record');
  if (!Array.isArray(parts) || parts.length !== 2 || !parts.every((part) => Buffer.isBuffer(part)))
    throw new Error('the record is not a payload and a signature');
  const [payload, signature] = parts;
  const fields = decodeWhole(payload, 'the payload');
  if (!(fields instanceof Map) || fields.get('v') !== 1)
    throw new Error('the payload is of an unknown version');
  const key = fields.get('key');
  const at = fields.get('at');
  const body = fields.get('body');
  if (!Buffer.isBuffer(key) || key.length !== 32) throw new Error('the payload has no public key');
  if (!(body instanceof Map) || !Array.isArray(at)) throw new Error('the payload has no date or no body');
  const entry = {
    id: textOfCid(Buffer.concat([CID_OF_CBOR, sha256(payload)])),
    device: deviceOf(key),
    pool: fields.get('pool'),
    seq: fields.get('seq'),
    prev: fields.get('prev') ?? null,
    at,
    body,
    key,
    payload,
    signature,
  };
  return { entry };
}

function checkEntry(value, entry, head, say) {
  if (!isSigned(entry.key, ENTRY_LABEL, entry.payload, entry.signature))
    say('the signature does not fit: this is not what the device signed');
  if (entry.pool !== head?.pool) say('the entry is of another pool');
  // A file's name is sealed for the pool: nothing here opens it.
  compareSaid(value, readable(entry), ['fileName'], say);
}

function checkAct(value, act, head, say) {
  if (!isSigned(act.key, ACT_LABEL, act.payload, act.signature))
    say('the signature does not fit: this is not what the device signed');
  if (act.pool !== head?.pool) say('the act is of another pool');
  const kind = act.body.get('kind');
  if (kind === 'recover' && !isOrdered(act)) say('no recovery code signed what it orders');
  if (kind === 'take-in' && !isOffer(act.body.get('offer'), act.pool))
    say('nobody signed the offer of what it takes in');
  // Whoever comes in shows what an admin signed, that he has the invite, and that he wants it.
  const ticket = kind === 'admit' ? readTicket(act) : undefined;
  if (kind === 'admit' && ticket === undefined && value.counts !== false)
    say('its invite, or what the newcomer showed of it, is not signed as it must be');
  compareSaid(value, readableAct(act, ticket), ['counts'], say);
}

/** Lines say what their signed bytes say. The device's name is compared with its own entries. */
function compareSaid(value, said, skipped, say) {
  for (const name of new Set([...Object.keys(said), ...Object.keys(value)])) {
    if (name === 'record' || name === 'deviceName' || skipped.includes(name)) continue;
    if (!isSame(said[name], value[name]))
      say(`“${name}” is ${show(value[name])}, and the signed bytes say ${show(said[name])}`);
  }
}

/** The fields of an act that follow from the signed bytes. `ticket`: of an admit that is right. */
function readableAct({ id, device, seq, prev, at, body }, ticket) {
  const kind = body.get('kind');
  const base = { act: id, device, seq, prev, at, kind };
  switch (kind) {
    case 'charter':
      return { ...base, members: body.get('members').map(([member]) => member) };
    case 'grant':
      return { ...base, about: body.get('device'), role: body.get('role'), rank: body.get('rank') };
    case 'shut-out':
      return { ...base, about: body.get('device'), reason: body.get('reason'), undone: body.get('undone') };
    case 'keep':
      return { ...base, about: body.get('device') };
    case 'recover': {
      const out = body.get('out').map(([shutOut, , undone]) => ({ device: shutOut, undone }));
      return { ...base, about: body.get('admin'), out };
    }
    case 'admit':
      return ticket === undefined
        ? base
        : { ...base, about: deviceOf(body.get('key')), role: ticket.role, invite: ticket.invite };
    case 'withdraw':
      return { ...base, invite: body.get('invite').toString('hex') };
    case 'epoch':
      return { ...base, number: body.get('number') };
    case 'offer':
      return { ...base, from: body.get('from'), charter: body.get('charter') };
    default:
      return base;
  }
}

/** Of an admit whose ticket its issuer signed, and whose newcomer proved the invite and signed, too. */
function readTicket({ body, key }) {
  const [ticket, newcomer, exchange] = ['ticket', 'key', 'exchange'].map((name) => body.get(name));
  if (![ticket, newcomer, exchange].every((bytes) => Buffer.isBuffer(bytes))) return undefined;
  const role = ['reader', 'member'][ticket[1]];
  if (ticket[0] !== 2 || role === undefined || ticket.length < 107 + 64) return undefined;
  const [inviteKey, issuerKey] = [ticket.subarray(42, 74), ticket.subarray(74, 106)];
  const signed = Buffer.concat([sha256(ticket), newcomer, exchange, sha256(key)]);
  const isRight =
    isSigned(issuerKey, TICKET_LABEL, ticket.subarray(0, -64), ticket.subarray(-64)) &&
    isSigned(inviteKey, ADMISSION_LABEL, signed, body.get('proof')) &&
    isSigned(newcomer, ADMISSION_LABEL, signed, body.get('consent'));
  return isRight ? { role, invite: inviteKey.toString('hex') } : undefined;
}

/** Whether the code that a recover names signed it: the writer's key, and the body without that signature. */
function isOrdered({ body, key }) {
  const parts = [...body.keys()].filter((name) => name !== 'signature').map((name) => body.spans.get(name));
  const order = Buffer.concat([key, Buffer.of(0xa0 | parts.length), ...parts]);
  return isSigned(body.get('code'), RECOVER_LABEL, order, body.get('signature'));
}

/** Whether these bytes are an act of the kind `offer`, of this pool, by the device that it names. */
function isOffer(record, pool) {
  try {
    const [payload, signature] = decodeWhole(record, 'the offer');
    const fields = decodeWhole(payload, 'the offer');
    return (
      fields.get('body').get('kind') === 'offer' &&
      fields.get('pool') === pool &&
      isSigned(fields.get('key'), ACT_LABEL, payload, signature)
    );
  } catch {
    return false;
  }
}

/** Each act comes after all that its writer had seen: so nobody can have left one of these out. */
function checkSeen(acts, say) {
  const above = new Set();
  for (const { line, entry } of acts) {
    const seen = entry.body.get('seen');
    for (const id of Array.isArray(seen) ? seen : [])
      if (!above.has(id)) say(line, `an act that its writer had seen is missing, or below: ${id}`);
    above.add(entry.id);
  }
}

/** The fields that follow from the signed bytes. */
function readable({ id, device, seq, prev, at, body }) {
  const kind = body.get('kind');
  const base = { entry: id, device, seq, prev, at, kind };
  switch (kind) {
    case 'profile':
    case 'pool':
      return { ...base, name: body.get('name') };
    case 'file':
      return { ...base, file: textOfCid(Buffer.concat([CID_OF_BYTES, sha256(body.get('manifest'))])) };
    case 'name':
      if (!Buffer.isBuffer(body.get('sealed'))) return base;
      return { ...base, file: textOfCid(Buffer.concat([CID_OF_BYTES, sha256(body.get('sealed'))])) };
    case 'remove':
    case 'unname':
      return { ...base, file: body.get('file') };
    case 'policy':
      return { ...base, policy: policyOf(body) };
    default:
      return base;
  }
}

/** The known parts of a policy. */
function policyOf(body) {
  const parts = {};
  const graces = body.get('graceMs');
  if (graces instanceof Map)
    parts.graceMs = Object.fromEntries(
      [...graces].filter(([name]) => ['alwaysOn', 'laptop', 'phone'].includes(name)),
    );
  for (const name of ['repairMillionths', 'k', 'n']) if (body.has(name)) parts[name] = body.get(name);
  return parts;
}

/** By date, then count, then id, as everybody who has the entries would put them. */
function checkOrder(entries, say) {
  entries.forEach(({ line, entry }, index) => {
    const before = entries[index - 1]?.entry;
    if (before !== undefined && comparePlaces(before, entry) >= 0)
      say(line, 'this entry is dated before the one above it: lines were swapped, or one is there twice');
  });
}

function comparePlaces(a, b) {
  if (a.at[0] !== b.at[0]) return a.at[0] - b.at[0];
  if (a.at[1] !== b.at[1]) return a.at[1] - b.at[1];
  return a.id < b.id ? -1 : Number(a.id > b.id);
}

/** Each entry or act names its device's one before it. Returns the devices whose chain split. */
function checkChains(entries, say, what = 'entry') {
  const byId = new Map(entries.map(({ entry }) => [entry.id, entry]));
  const followers = new Map();
  for (const { line, entry } of entries) {
    const { seq, prev, device } = entry;
    if ((seq === 1) !== (prev === null)) say(line, `number ${seq} cannot follow ${show(prev)}`);
    if (prev === null) {
      followers.set(`${device} first`, (followers.get(`${device} first`) ?? 0) + 1);
      continue;
    }
    const before = byId.get(prev);
    if (before === undefined)
      say(line, `the ${what} before it, number ${seq - 1} of ${device}, is missing: ${prev}`);
    else if (before.device !== device) say(line, `it follows an ${what} of another device`);
    else if (before.seq !== seq - 1) say(line, `number ${seq} follows number ${before.seq}`);
    followers.set(`${device} ${prev}`, (followers.get(`${device} ${prev}`) ?? 0) + 1);
  }
  return new Set([...followers].flatMap(([key, count]) => (count > 1 ? [key.split(' ')[0]] : [])));
}

/** A device's name is one that it gave itself; '' before it gave any. */
function checkDeviceNames(entries, all, say) {
  const names = new Map();
  for (const { entry } of entries)
    if (entry.body.get('kind') === 'profile')
      names.set(entry.device, new Set([...(names.get(entry.device) ?? []), entry.body.get('name')]));
  for (const { line, value, entry } of all) {
    const own = names.get(entry.device);
    if (own === undefined ? value.deviceName !== '' : !own.has(value.deviceName))
      say(line, `the device never gave itself the name ${show(value.deviceName)}`);
  }
}

function checkEnd(end, lines, head, say) {
  const hash = sha256(
    Buffer.from(
      lines
        .slice(0, -1)
        .map((line) => `${line}\n`)
        .join(''),
    ),
  );
  if (end.sha256 !== hash.toString('hex')) say('the lines above are not those that were exported');
  try {
    const key = bytesOf(end.key);
    if (deviceOf(key) !== head?.exportedBy) say('the key is not that of the device that exported the record');
    if (!isSigned(key, EXPORT_LABEL, hash, bytesOf(end.signature)))
      say('the exporting device did not sign these lines');
  } catch (error) {
    say(error.message);
  }
}

function notesOn(entries, forked, head) {
  const sealed = entries.filter(({ value }) => value.fileName !== undefined).length;
  const known = ['profile', 'pool', 'file', 'name', 'remove', 'unname', 'policy', 'live-invite', 'leave'];
  const kinds = entries.map(({ entry }) => entry.body.get('kind')).filter((kind) => !known.includes(kind));
  return [
    `${entries.length} entries of ${new Set(entries.map(({ entry }) => entry.device)).size} devices, pool ${head?.pool}.`,
    ...[...forked].map((device) => `The log of ${device} split: two entries follow the same one.`),
    ...[...new Set(kinds)].map((kind) => `Entries of the kind ${show(kind)} are not known to this program.`),
    ...(sealed === 0
      ? []
      : [`${sealed} names of files cannot be checked: they are sealed, and only the pool's keys open them.`]),
    'Times are those of the devices’ own clocks.',
  ];
}

function notesOnActs(acts, forked) {
  if (acts.length === 0) return [];
  const known = ['charter', 'grant', 'shut-out', 'keep', 'admit', 'withdraw', 'epoch', 'epoch-keys'];
  known.push('exchange', 'code', 'offer', 'take-in', 'recover', 'merge');
  const kinds = acts.map(({ entry }) => entry.body.get('kind')).filter((kind) => !known.includes(kind));
  return [
    `${acts.length} acts of ${new Set(acts.map(({ entry }) => entry.device)).size} devices. Which of them count is the exporting device's word.`,
    ...[...forked].map((device) => `The acts of ${device} split: two follow the same one.`),
    ...[...new Set(kinds)].map((kind) => `Acts of the kind ${show(kind)} are not known to this program.`),
  ];
}

function isSigned(key, label, message, signature) {
  try {
    const spki = createPublicKey({ key: Buffer.concat([SPKI_HEAD, key]), format: 'der', type: 'spki' });
    return verify(null, Buffer.concat([Buffer.from(label), message]), spki, signature);
  } catch {
    return false; // no key, or no signature
  }
}

function deviceOf(key) {
  return textOfCid(Buffer.concat([CID_OF_BYTES, sha256(key)]));
}

function sha256(bytes) {
  return createHash('sha256')
    .update(bytes ?? Buffer.alloc(0))
    .digest();
}

/** @throws Error when it is not base64url. */
function bytesOf(text) {
  if (typeof text !== 'string' || !/^[A-Za-z0-9_-]+$/.test(text))
    throw new Error('bytes in base64url are missing');
  return Buffer.from(text, 'base64url');
}

/** A CID as `b` and base32 (RFC 4648, in small letters, without padding). */
function textOfCid(cid) {
  let [text, value, bits] = ['b', 0, 0];
  for (const byte of cid) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += BASE32[(value >> (bits - 5)) & 31];
    value &= (1 << bits) - 1;
  }
  return bits === 0 ? text : text + BASE32[(value << (5 - bits)) & 31];
}

function isSame(a, b) {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.keys(value)
      .toSorted()
      .map((key) => [key, sorted(value[key])]),
  );
}

function show(value) {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** DAG-CBOR (RFC 8949, the part that records use): links as text, maps as Map. @throws Error. */
function decodeWhole(bytes, what) {
  let at = 0;
  const take = (count) => {
    if (at + count > bytes.length) throw new Error(`${what} is cut off`);
    at += count;
    return bytes.subarray(at - count, at);
  };
  const numberOf = (info) => {
    if (info < 24) return info;
    if (info > 27) throw new Error(`${what} is not DAG-CBOR`);
    const value = take(2 ** (info - 24)).reduce((sum, byte) => sum * 256 + byte, 0);
    if (!Number.isSafeInteger(value)) throw new Error(`${what} has too large a number`);
    return value;
  };
  const items = (count) => Array.from({ length: count }, () => read());
  /** A map with the bytes of each of its pairs: a recovery code signs a map without one of them. */
  const readMap = (count) => {
    const map = new Map();
    map.spans = new Map();
    for (let pair = 0; pair < count; pair++) {
      const start = at;
      const name = read();
      map.set(name, read());
      map.spans.set(name, bytes.subarray(start, at));
    }
    return map;
  };
  const read = () => {
    const [first] = take(1);
    const [major, info] = [first >> 5, first & 31];
    if (major === 7) {
      if (info === 27) return take(8).readDoubleBE();
      if (info < 20 || info > 22) throw new Error(`${what} is not DAG-CBOR`);
      return info === 22 ? null : info === 21;
    }
    const value = numberOf(info);
    switch (major) {
      case 0:
        return value;
      case 1:
        return -1 - value;
      case 2:
        return take(value);
      case 3:
        return take(value).toString('utf8');
      case 4:
        return items(value);
      case 5:
        return readMap(value);
      default: {
        const link = read();
        if (value !== 42 || !Buffer.isBuffer(link) || link[0] !== 0)
          throw new Error(`${what} is not DAG-CBOR`);
        return textOfCid(link.subarray(1));
      }
    }
  };
  const value = read();
  if (at !== bytes.length) throw new Error(`${what} has more bytes than it should`);
  return value;
}
