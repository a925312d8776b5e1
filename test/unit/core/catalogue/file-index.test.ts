// Contents and their names: what is listed and what stays a file of the pool, whatever order entries come in.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import type { CheckedEntry } from '../../../../src/core/catalogue/check.ts';
import type { EntryBody } from '../../../../src/core/catalogue/entry.ts';
import type { FileName } from '../../../../src/core/catalogue/file-name.ts';
import { PackedEntry, packEntry } from '../../../../src/core/catalogue/packed-entry.ts';
import { encodeCbor } from '../../../../src/core/encoding/decode.ts';
import { fileIdOf, type EntryId, type FileId } from '../../../../src/core/model/ids.ts';
import { deviceAt, fileBody, itemAt, manifestOf, uncheckedEntry } from '../../../fixtures/pool-fixture.ts';

/** One step of a history: a device writes it into its log. */
type Step =
  | { readonly kind: 'file'; readonly content: number }
  | { readonly kind: 'name'; readonly content: number; readonly label: number }
  | { readonly kind: 'take'; readonly how: 'remove' | 'unname'; readonly name: number };

const CONTENT_COUNT = 3;
/** The last content is private. */
const PRIVATE = CONTENT_COUNT - 1;
const LABEL_COUNT = 3;

function contentAt(index: number): { body: EntryBody; fileId: FileId } {
  return fileBody(`content ${index}`);
}

function nameAt(content: number, label: number): { body: EntryBody; fileId: FileId } {
  const sealed = encodeCbor({ content, label });
  return { body: { kind: 'name', sealed }, fileId: fileIdOf(sealed) };
}

/** All ids that can be taken away: those of contents, and then those of further names. */
const IDS: readonly FileId[] = [
  ...Array.from({ length: CONTENT_COUNT }, (_, index) => contentAt(index).fileId),
  ...Array.from(
    { length: CONTENT_COUNT * LABEL_COUNT },
    (_, index) => nameAt(index % CONTENT_COUNT, Math.floor(index / CONTENT_COUNT)).fileId,
  ),
];

/** Each device's log, in the order of its steps. */
function logsOf(steps: readonly (Step & { readonly device: number })[]): CheckedEntry[][] {
  const logs = new Map<number, CheckedEntry[]>();
  for (const step of steps) {
    const log = logs.get(step.device) ?? [];
    logs.set(step.device, log);
    log.push(written(step, step.device, log.length + 1, log.at(-1)?.entry.entryId));
  }
  return [...logs.values()];
}

function written(step: Step, device: number, seq: number, prev: EntryId | undefined): CheckedEntry {
  const identity = deviceAt(device);
  const place = { seq, prev, at: { ms: 1, count: 0 } };
  switch (step.kind) {
    case 'file': {
      const isPrivate = step.content === PRIVATE;
      const access = isPrivate ? { access: { kind: 'private', sealed: new Uint8Array(40) } as const } : {};
      return uncheckedEntry(
        identity,
        place,
        contentAt(step.content).body,
        manifestOf(identity.deviceId, access),
      );
    }
    case 'name': {
      const { body, fileId } = nameAt(step.content, step.label);
      const name: FileName = {
        content: contentAt(step.content).fileId,
        details: { name: `name ${step.label}`, path: '', mime: '' },
        modifiedMs: 1,
        by: identity.deviceId,
        atMs: 2,
      };
      return { ...uncheckedEntry(identity, place, body), named: { nameId: fileId, name } };
    }
    case 'take':
      return uncheckedEntry(identity, place, { kind: step.how, file: itemAt(IDS, step.name) });
  }
}

/** By definition: the names that some entry gives, of a known content, and that none takes away. */
function expectedNames(steps: readonly Step[]): FileId[] {
  const known = new Set(steps.flatMap((step) => (step.kind === 'file' ? [step.content] : [])));
  const taken = new Set(steps.flatMap((step) => (step.kind === 'take' ? [itemAt(IDS, step.name)] : [])));
  const names = steps.flatMap((step): FileId[] => {
    if (step.kind === 'file') return [contentAt(step.content).fileId];
    const counts = step.kind === 'name' && known.has(step.content) && step.content !== PRIVATE;
    return counts ? [nameAt(step.content, step.label).fileId] : [];
  });
  return [...new Set(names)].filter((name) => !taken.has(name)).toSorted();
}

const steps = fc.array(
  fc.oneof(
    fc.record({ kind: fc.constant('file' as const), content: fc.nat(CONTENT_COUNT - 1), device: fc.nat(2) }),
    fc.record({
      kind: fc.constant('name' as const),
      content: fc.nat(CONTENT_COUNT - 1),
      label: fc.nat(LABEL_COUNT - 1),
      device: fc.nat(2),
    }),
    fc.record({
      kind: fc.constant('take' as const),
      how: fc.constantFrom('remove' as const, 'unname' as const),
      name: fc.nat(IDS.length - 1),
      device: fc.nat(2),
    }),
  ),
  { maxLength: 24 },
);

/** The logs mixed by `turns`, each in its own order. */
function mixed(logs: readonly (readonly CheckedEntry[])[], turns: readonly number[]): CheckedEntry[] {
  const rest = logs.map((log) => [...log]);
  const all: CheckedEntry[] = [];
  for (let turn = 0; rest.some((log) => log.length > 0); turn++) {
    const open = rest.filter((log) => log.length > 0);
    const next = open[(turns[turn % Math.max(1, turns.length)] ?? 0) % open.length]?.shift();
    if (next !== undefined) all.push(next);
  }
  return all;
}

function listedIn(catalogue: Catalogue): string[] {
  return Array.from(catalogue.listed(), ({ fileId }) => fileId).toSorted();
}

describe('names', () => {
  it('are the same however entries are merged, and a content is a file while it has one', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(5), { minLength: 1 }), fc.nat(9), (history, turns, portion) => {
        const entries = mixed(logsOf(history), turns);
        const catalogue = new Catalogue();
        for (let at = 0; at < entries.length; at += portion + 1) {
          const before = new Set(catalogue.files().keys());
          const { named, nameless } = catalogue.add(entries.slice(at, at + portion + 1));
          const now = new Set(catalogue.files().keys());
          expect(new Set(named)).toEqual(new Set([...now].filter((file) => !before.has(file))));
          for (const file of before) if (!now.has(file)) expect(nameless).toContain(file);
        }
        const expected = expectedNames(history);
        expect(listedIn(catalogue)).toEqual(expected);
        const contents = new Set(Array.from(catalogue.listed(), ({ contentId }) => contentId));
        expect(new Set(catalogue.files().keys())).toEqual(contents);
        for (const content of contents) {
          const names = expected.filter((name) => catalogue.listedFile(name)?.contentId === content);
          expect(catalogue.namesOf(content).toSorted()).toEqual(names);
        }
        // A start reads the same from the disk, in any order.
        const restored = new Catalogue();
        restored.restore(entries.map((entry) => new PackedEntry(packEntry(entry), 0)).toReversed());
        expect(listedIn(restored)).toEqual(expected);
      }),
    );
  });

  it('go with the entries that gave them when those are evicted', () => {
    const content = contentAt(0);
    const name = nameAt(0, 0);
    const [log = []] = logsOf([
      { kind: 'file', content: 0, device: 0 },
      { kind: 'take', how: 'unname', name: 0, device: 0 },
      { kind: 'name', content: 0, label: 0, device: 0 },
    ]);
    // Room for two entries: an entry is kept if what comes before it fits.
    const [first, second] = [itemAt(log, 0).entry.bytes.length, itemAt(log, 1).entry.bytes.length];
    const catalogue = new Catalogue(undefined, first + second - 1);
    catalogue.add(log);
    expect(listedIn(catalogue)).toEqual([]);
    expect(catalogue.isRemoved(content.fileId)).toBe(true);
    const roomy = new Catalogue(undefined, first + second);
    roomy.add(log);
    expect(listedIn(roomy)).toEqual([name.fileId]);
    expect(roomy.isRemoved(content.fileId)).toBe(false);
    expect(roomy.isRemovedForAll(content.fileId)).toBe(false);
  });

  it('say what was stored: details, who, when, and of which content', () => {
    const [log = []] = logsOf([
      { kind: 'name', content: 0, label: 1, device: 0 },
      { kind: 'file', content: 0, device: 0 },
    ]);
    const catalogue = new Catalogue();
    catalogue.add(log);
    const { fileId } = nameAt(0, 1);
    const listed = catalogue.listedFile(fileId);
    expect(listed?.details()).toEqual({ name: 'name 1', path: '', mime: '' });
    expect(listed).toMatchObject({ fileId, contentId: contentAt(0).fileId, modifiedMs: 1, atMs: 2 });
    expect(listed?.by).toBe(deviceAt(0).deviceId);
    expect(catalogue.listedFile(contentAt(0).fileId)?.details()?.name).toBe('holiday.jpg');
  });
});
