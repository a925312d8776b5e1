// What every story is judged by, and its end.

import { accusesNobody } from './checkers/accuses-nobody.ts';
import { dropsCopiesOnly } from './checkers/drops-copies-only.ts';
import { keepsCaps } from './checkers/keeps-caps.ts';
import { keepsFiles } from './checkers/keeps-files.ts';
import { keepsRemoved } from './checkers/keeps-removed.ts';
import { keepsSpace } from './checkers/keeps-space.ts';
import { meetsNoBug } from './checkers/meets-no-bug.ts';
import { showsTruth } from './checkers/shows-truth.ts';
import { recover } from './ending.ts';
import { noteMovements } from './movements.ts';
import { PastDisks } from './past-disks.ts';
import type { Scene } from './scene.ts';

type Look = () => void;

interface Checkers {
  /** To be called after every event that changed a disk. */
  readonly disks: readonly Look[];
  /** To be called now and then: what devices show. */
  readonly shown: readonly Look[];
  /** Two of these, which are wanted at other times as well. */
  readonly files: ReturnType<typeof keepsFiles>;
  readonly accuses: Look;
}

export function checkersOf(scene: Scene): Checkers {
  const past = new PastDisks(scene);
  const files = keepsFiles(scene);
  const accuses = accusesNobody(scene);
  return {
    disks: [
      () => past.look(),
      noteMovements(scene),
      keepsCaps(scene),
      keepsSpace(scene),
      dropsCopiesOnly(scene, past),
      files,
    ],
    shown: [
      () => learnGeometries(scene),
      showsTruth(scene, past),
      keepsRemoved(scene),
      accuses,
      meetsNoBug(scene),
    ],
    files,
    accuses,
  };
}

/**
 * Tells a story, lets its pool recover, and looks once more at what devices show: `tell` resolves to these
 * looks. Returns the first promise that was broken, if any was.
 */
export async function failureOf(
  scene: Scene,
  tell: () => Promise<readonly Look[]>,
): Promise<Error | undefined> {
  try {
    const looks = await tell();
    await recover(scene);
    for (const look of looks) look();
    for (const bug of scene.network.bugs()) throw bug;
    return undefined;
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    scene.note(undefined, `FAILED: ${failure.message}`);
    return failure;
  }
}

/** Changes with every disk, with who comes back, and with the files that were acknowledged. */
export function disksRevision({ actors, files }: Scene): number {
  let revision = files.size;
  for (const { device, state } of actors) {
    const count = device.store.fragmentRevision() * 2 + (state === 'lost' ? 1 : 0);
    // Mixed as in FNV-1a, so that changes of several disks do not make up for each other.
    revision = Math.imul(Math.imul(revision, 0x01000193) ^ count, 0x01000193) ^ device.store.outboxCount();
  }
  return revision;
}

function learnGeometries(scene: Scene): void {
  for (const actor of scene.running())
    for (const { contentId, k, n } of scene.filesOf(actor)) scene.geometries.set(contentId, { k, n });
}
