// Enforces the layers: every import of src and signaling is compared with what its layer may reach, and no
// file may import itself indirectly. Type-only imports count: a type is a dependency too. A file that belongs
// to no layer, and an import that cannot be read, fail.

import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseSync, Visitor } from 'oxc-parser';
import { describe, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

interface Layer {
  /** The layer's folder or file; a file belongs to the first layer of LAYERS that contains it. */
  readonly path: string;
  /** What it may import besides itself: folders or files. */
  readonly reaches: readonly string[];
  /** npm packages, and 'node:' for Node's own modules. */
  readonly packages: readonly string[];
}

const CORE_PACKAGES = ['@ipld/dag-cbor', '@noble/hashes', 'multiformats'];
const UI_PACKAGES = ['preact', '@preact/signals', 'qr', 'workbox-window'];
const ADAPTERS = ['src/adapters/browser', 'src/adapters/portable'];
const NODE_ADAPTERS = ['src/adapters/node', 'src/adapters/portable'];
const UNDER_WORKERS = ['src/core', ...ADAPTERS];
const SCREENS = ['src/ui', 'src/runtime', 'src/core/model'];

/** The more particular paths come first: composition roots, and the files that own a dependency. */
const LAYERS: readonly Layer[] = [
  { path: 'src/core', reaches: [], packages: CORE_PACKAGES },
  { path: 'src/runtime', reaches: ['src/core'], packages: [] },
  {
    path: 'src/adapters/portable/reed-solomon.ts',
    reaches: ['src/core', 'src/adapters/portable'],
    packages: ['@subspace/reed-solomon-erasure.wasm'],
  },
  {
    path: 'src/adapters/portable/erasure-code.ts',
    reaches: ['src/core', 'src/adapters/portable'],
    packages: ['wasm-feature-detect'],
  },
  {
    path: 'src/adapters/portable/links/webrtc-connection.ts',
    reaches: ['src/core', 'src/adapters/portable'],
    packages: ['simple-peer'],
  },
  { path: 'src/adapters/portable', reaches: ['src/core'], packages: ['comlink', ...CORE_PACKAGES] },
  {
    path: 'src/adapters/browser',
    reaches: ['src/core', 'src/adapters/portable'],
    packages: ['idb', 'comlink'],
  },
  {
    path: 'src/adapters/node/node-webrtc.ts',
    reaches: ['src/core', 'src/adapters/portable', 'src/adapters/node'],
    packages: ['node-datachannel'],
  },
  {
    path: 'src/adapters/node/store/sqlite.ts',
    reaches: ['src/core', 'src/adapters/node'],
    packages: ['node:', 'better-sqlite3'],
  },
  {
    path: 'src/adapters/node/direct-keys.ts',
    reaches: ['src/core', 'src/adapters/node'],
    packages: ['node:', 'reflect-metadata', '@peculiar/x509'],
  },
  { path: 'src/adapters/node', reaches: ['src/core', 'src/adapters/portable'], packages: ['node:', 'ws'] },
  { path: 'src/workers', reaches: UNDER_WORKERS, packages: ['comlink'] },
  { path: 'src/wasm', reaches: [], packages: ['assemblyscript', 'node:'] },
  { path: 'src/sw', reaches: [], packages: ['workbox-precaching'] },
  { path: 'src/ui/main.tsx', reaches: [...SCREENS, ...ADAPTERS], packages: UI_PACKAGES },
  { path: 'src/ui/compose.ts', reaches: [...SCREENS, 'src/core', ...ADAPTERS], packages: UI_PACKAGES },
  { path: 'src/ui/compose-doctor.ts', reaches: [...SCREENS, 'src/core', ...ADAPTERS], packages: UI_PACKAGES },
  {
    path: 'src/ui/loaded-parts.ts',
    reaches: ['src/workers', 'src/wasm/build', ...ADAPTERS],
    packages: ['@subspace/reed-solomon-erasure.wasm'],
  },
  // Core has a bounded search for how many devices must come back; the status has what it needs.
  {
    path: 'src/ui/text/safety-sentence.ts',
    reaches: [...SCREENS, 'src/core/placement/health.ts'],
    packages: [],
  },
  // What leaving costs is a margin without this device, which no status has.
  {
    path: 'src/ui/text/leaving-stakes.ts',
    reaches: [...SCREENS, 'src/core/placement/health.ts'],
    packages: [],
  },
  { path: 'src/ui', reaches: SCREENS, packages: UI_PACKAGES },
  { path: 'src/cli/vite.config.ts', reaches: ['src/wasm/build.mjs'], packages: ['vite', 'node:'] },
  { path: 'src/cli/palm.mjs', reaches: ['dist/cli'], packages: ['node:'] },
  {
    path: 'src/cli/device/compose.ts',
    reaches: ['src/core', 'src/runtime', ...NODE_ADAPTERS, 'src/ui/text', 'src/wasm/build', 'src/cli'],
    packages: ['node:', '@subspace/reed-solomon-erasure.wasm'],
  },
  { path: 'src/cli/device/folder-cid.ts', reaches: [], packages: ['node:', '@ipld/dag-pb', 'multiformats'] },
  { path: 'src/cli/device/file-cid.ts', reaches: [], packages: ['ipfs-unixfs-importer'] },
  {
    path: 'src/cli/device',
    reaches: ['src/core', 'src/runtime', ...NODE_ADAPTERS, 'src/cli'],
    packages: ['node:', 'comlink'],
  },
  {
    path: 'src/cli/operations/open-telemetry.ts',
    reaches: ['src/cli/operations'],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace',
    ],
  },
  {
    path: 'src/cli/operations',
    reaches: [...SCREENS, 'src/core/wire/trace-mark.ts'],
    packages: ['node:', 'pino', 'prom-client'],
  },
  {
    path: 'src/cli/gateway',
    reaches: [...SCREENS, 'src/cli/words.ts', 'src/cli/operations'],
    packages: ['node:', 'content-disposition', 'fresh', 'mime', 'negotiator', 'range-parser'],
  },
  {
    path: 'src/cli/commands/discover-command.ts',
    reaches: ['src/core', 'src/cli'],
    packages: ['node:', 'bonjour-service'],
  },
  {
    path: 'src/cli',
    reaches: [...SCREENS, 'src/core/wire', 'src/adapters/node'],
    packages: ['node:', 'cac', 'cli-progress', 'comlink', 'qr'],
  },
  { path: 'signaling/vite.config.ts', reaches: [], packages: ['vite', 'node:'] },
  { path: 'signaling/start.mjs', reaches: ['dist/relay', 'dist/cli'], packages: ['vite', 'node:'] },
  {
    path: 'signaling/certificates.ts',
    reaches: [],
    packages: ['node:', 'reflect-metadata', '@peculiar/x509', '@peculiar/asn1-schema', '@peculiar/asn1-x509'],
  },
  {
    path: 'signaling/mdns.ts',
    reaches: ['src/core/model/relay-name.ts', 'src/core/at-most.ts', 'signaling'],
    packages: ['node:', '@homebridge/ciao'],
  },
  { path: 'signaling/keep.ts', reaches: ['src/core/wire', 'src/cli', 'signaling'], packages: ['node:'] },
  {
    path: 'signaling',
    reaches: [
      'src/adapters/node/data-folder.ts',
      'src/adapters/node/lan-addresses.ts',
      'src/core/wire',
      'src/core/encoding',
      'src/core/model',
      'src/core/ports.ts',
      'src/core/at-most.ts',
      'src/core/machine-driver.ts',
    ],
    packages: ['node:', 'ws', 'qr'],
  },
];

/** Composition roots: nothing imports them, but the first may import the others. */
const ROOTS = ['src/ui/main.tsx', 'src/ui/compose.ts', 'signaling/main.ts'];

/** What follows a path to say how the bundler provides it, such as `?worker&url`. */
const QUERY = /\?[\w&]+$/;

/** Names that the bundler provides without a file. */
const BUNDLER_MODULES = ['virtual:', 'vite/client'];

test('every import stays within what its layer may reach', () => {
  const files = sourceFiles();
  const broken = files.flatMap((file) => violations(file, readFileSync(join(ROOT, file), 'utf8')));
  expect(broken).toEqual([]);
});

test('no files import each other in a circle', () => {
  expect(circles(fileGraph(sourcesByName()))).toEqual([]);
});

test('no rooms import each other in a circle', () => {
  const circular = [...roomGraphs(fileGraph(sourcesByName()))].flatMap(([folder, graph]) =>
    circles(graph).map((circle) => `${folder}: ${circle.join(' and ')}`),
  );
  expect(circular).toEqual([]);
});

describe('a circle is caught', () => {
  test('of files, through a type', () => {
    const graph = fileGraph({
      'src/core/a.ts': `import { b } from './b.ts';`,
      'src/core/b.ts': `import type { A } from './a.ts';`,
      'src/core/c.ts': `import './b.ts';`,
    });
    expect(circles(graph)).toEqual([['src/core/a.ts', 'src/core/b.ts']]);
  });

  test('of rooms, though not of their files', () => {
    const graph = fileGraph({
      'src/core/wire/messages.ts': `import { entry } from '../catalogue/entry.ts';`,
      'src/core/wire/decode.ts': '',
      'src/core/catalogue/entry.ts': `import { uintOf } from '../wire/decode.ts';`,
    });
    expect(circles(graph)).toEqual([]);
    expect(circles(roomGraphs(graph).get('src/core') ?? new Map())).toEqual([['catalogue', 'wire']]);
  });

  test('between a room and a file next to it', () => {
    const graph = fileGraph({
      'src/runtime/palm.ts': `import { driver } from './peer/driver.ts';`,
      'src/runtime/peer/driver.ts': `import type { Palm } from '../palm.ts';`,
    });
    expect(circles(roomGraphs(graph).get('src/runtime') ?? new Map())).toEqual([['palm.ts', 'peer']]);
  });
});

test('the walk sees the sources, each in a layer', () => {
  const files = sourceFiles();
  for (const folder of ['src/core', 'src/runtime', 'src/adapters', 'signaling']) {
    expect(files.filter((file) => isWithin(file, folder)).length, folder).toBeGreaterThan(0);
  }
  expect(files.length).toBeGreaterThan(40);
  const imports = files.flatMap((file) => importsOf(file, readFileSync(join(ROOT, file), 'utf8')));
  expect(imports.length).toBeGreaterThan(files.length);
});

describe('a forbidden import is caught', () => {
  test.each([
    ['src/core/peer.ts', `import { readFile } from 'node:fs';`],
    ['src/core/peer.ts', `import type { Pool } from '../runtime/api.ts';`],
    ['src/core/peer.ts', `export * from '../adapters/portable/clock.ts';`],
    ['src/core/peer.ts', `const load = () => import('../ui/app.tsx');`],
    ['src/core/peer.ts', `type Store = import('../adapters/browser/idb-store.ts').Store;`],
    ['src/core/peer.ts', `import 'idb';`],
    ['src/runtime/palm.ts', `import { h } from 'preact';`],
    ['src/runtime/palm.ts', `import { systemClock } from '../adapters/portable/clock.ts';`],
    ['src/adapters/browser/store/idb-store.ts', `import Peer from 'simple-peer/simplepeer.min.js';`],
    ['src/adapters/portable/clock.ts', `import { openIdbStore } from '../browser/idb-store.ts';`],
    ['src/ui/file-row.tsx', `import { openIdbStore } from '../adapters/browser/idb-store.ts';`],
    ['src/ui/file-row.tsx', `import { planPlacement } from '../core/placement/rendezvous.ts';`],
    ['src/ui/file-row.tsx', `import { openBrowserPool } from './compose.ts';`],
    ['src/workers/codec.worker.ts', `import { openPool } from '../runtime/pool.ts';`],
    ['src/workers/codec.worker.ts', `new Worker(new URL('../ui/main.tsx', import.meta.url));`],
    ['signaling/rooms.ts', `import { openSegment } from '../src/core/coding/segment.ts';`],
    ['signaling/rooms.ts', `const name = 'ws'; const load = () => import(name);`],
    ['src/elsewhere/new.ts', `export const answer = 42;`],
  ])('%s: %s', (file, source) => {
    expect(violations(file, source)).toHaveLength(1);
  });

  test('an allowed import is not', () => {
    const source = `
      import { encode } from '@ipld/dag-cbor';
      import { sha256 } from '@noble/hashes/sha2.js';
      import { BLOCK_BYTES } from './model/limits.ts';
      export type { DeviceId } from './model/ids.ts';`;
    expect(violations('src/core/peer.ts', source)).toEqual([]);
    expect(importsOf('src/core/peer.ts', source)).toHaveLength(4);
  });
});

/** One sentence for each import of `file` that its layer may not have. */
function violations(file: string, source: string): string[] {
  const layer = LAYERS.find((candidate) => isWithin(file, candidate.path));
  if (layer === undefined) return [`${file} is in no layer: give its folder one here and a tsconfig`];
  return importsOf(file, source)
    .filter((specifier) => specifier === undefined || !mayImport(file, layer, specifier))
    .map((specifier) => `${file} may not import ${specifier ?? 'what is only known at run time'}`);
}

function mayImport(file: string, layer: Layer, specifier: string): boolean {
  const target = specifier.replace(QUERY, '');
  if (target.startsWith('.')) {
    const path = posix.join(posix.dirname(file), target);
    if (ROOTS.includes(path) && file !== ROOTS[0]) return false;
    const isFile = /\.\w+$/.test(layer.path);
    const own = isFile ? posix.dirname(layer.path) : layer.path;
    return [own, ...layer.reaches].some((reached) => isWithin(path, reached));
  }
  if (BUNDLER_MODULES.some((name) => target.startsWith(name))) return isWithin(file, 'src/ui');
  return layer.packages.some((name) =>
    name === 'node:' ? target.startsWith(name) : target === name || target.startsWith(`${name}/`),
  );
}

/** Every module that `source` names; undefined for one that is not a literal. */
function importsOf(file: string, source: string): (string | undefined)[] {
  const { program, errors } = parseSync(file, source);
  if (errors.length > 0) throw new Error(`${file} cannot be parsed: ${errors[0]?.message ?? ''}`);
  const found: (string | undefined)[] = [];
  const literal = (node: { type: string; value?: unknown } | undefined): string | undefined =>
    node?.type === 'Literal' && typeof node.value === 'string' ? node.value : undefined;
  new Visitor({
    ImportDeclaration: (node) => void found.push(node.source.value),
    ExportAllDeclaration: (node) => void found.push(node.source.value),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) found.push(node.source.value);
    },
    ImportExpression: (node) => void found.push(literal(node.source)),
    TSImportType: (node) => void found.push(literal(node.source)),
    NewExpression: (node) => {
      const [address, base] = node.arguments;
      const isModuleUrl = node.callee.type === 'Identifier' && node.callee.name === 'URL';
      if (isModuleUrl && base?.type === 'MemberExpression' && base.object.type === 'MetaProperty') {
        const target = literal(address);
        // Other addresses are those of data.
        if (target === undefined || /\.(ts|tsx|mjs|js)$/.test(target)) found.push(target);
      }
    },
  }).visit(program);
  return found;
}

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

function sourcesByName(): Record<string, string> {
  return Object.fromEntries(sourceFiles().map((file) => [file, readFileSync(join(ROOT, file), 'utf8')]));
}

/** Which of the given files each of them imports, or names as a worker. */
function fileGraph(sources: Readonly<Record<string, string>>): Graph {
  return new Map(
    Object.entries(sources).map(([file, source]) => [
      file,
      new Set(
        importsOf(file, source)
          .filter((specifier) => specifier?.startsWith('.') === true)
          .map((specifier = '') => posix.join(posix.dirname(file), specifier.replace(QUERY, '')))
          .filter((target) => target in sources),
      ),
    ]),
  );
}

/**
 * For each folder, which of its entries (files and folders) import which others, contents included: an import
 * counts where the two paths part.
 */
function roomGraphs(graph: Graph): ReadonlyMap<string, Graph> {
  const rooms = new Map<string, Map<string, Set<string>>>();
  for (const [file, targets] of graph) {
    for (const target of targets) {
      const [from, to] = [file.split('/'), target.split('/')];
      const parting = from.findIndex((name, depth) => name !== to[depth]);
      const [entry, imported] = [from[parting], to[parting]];
      if (entry === undefined || imported === undefined) continue;
      const folder = from.slice(0, parting).join('/');
      const room = rooms.get(folder) ?? new Map<string, Set<string>>();
      rooms.set(folder, room.set(entry, (room.get(entry) ?? new Set()).add(imported)));
    }
  }
  return rooms;
}

/** The strongly connected components of more than one node (Tarjan, 1972), sorted. */
function circles(graph: Graph): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const stack: string[] = [];
  const visit = (node: string): number => {
    const number = order.size;
    order.set(node, number);
    let low = number;
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (stack.includes(next)) low = Math.min(low, order.get(next) ?? low);
    }
    if (low === number) {
      const component = stack.splice(stack.indexOf(node));
      if (component.length > 1) found.push(component.toSorted());
    }
    return low;
  };
  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return found;
}

function sourceFiles(): string[] {
  return ['src', 'signaling'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => /\.(ts|tsx|mjs)$/.test(name))
      .map((name) => posix.join(folder, name.replaceAll('\\', '/'))),
  );
}

function isWithin(file: string, path: string): boolean {
  return file === path || file.startsWith(`${path}/`);
}
