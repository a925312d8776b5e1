// Starts Palm's workers. Vite bundles each from the address written here.

export function startCodecWorker(): Worker {
  return new Worker(new URL('../workers/codec.worker.ts', import.meta.url), { type: 'module' });
}

export function startFragmentWorker(): Worker {
  return new Worker(new URL('../workers/fragment.worker.ts', import.meta.url), { type: 'module' });
}

export function startOpfsWorker(): Worker {
  return new Worker(new URL('../workers/opfs.worker.ts', import.meta.url), { type: 'module' });
}
