// The fragment worker: all blocks of this device, hashed, written and read off the main thread. It has a database connection of
// its own, and blocks in files where the engine has them.

import { expose } from 'comlink';
import { openFragmentStore } from '../../adapters/browser/fragment-store.ts';
import type { FragmentStore } from '../../core/ports.ts';
import { createFragmentService } from '../fragment-service.ts';
import { openPackFolder } from './opfs-packs.ts';

const opening = open();
// Each call that comes meets the failure and reports it; without this line a failure before the first call would also
// be an unhandled rejection.
opening.catch(() => {});
expose(createFragmentService(opening));

async function open(): Promise<FragmentStore> {
  const { fragments } = await openFragmentStore(await openPackFolder('blocks'));
  return fragments;
}
