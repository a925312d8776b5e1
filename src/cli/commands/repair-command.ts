// `palm repair`: restores what is missing without waiting for further losses, and tells how far that is.

import { print, printJson, printTable } from '../output.ts';
import { words } from '../words.ts';
import type { Context } from './context.ts';

export async function repair(context: Context): Promise<void> {
  const device = await context.device();
  const { lacking } = await device.repair();
  const { repairs, repairPause } = await device.status();
  if (context.isJson) {
    printJson({ lacking, repairs, ...(repairPause === undefined ? {} : { repairPause }) });
    return;
  }
  if (lacking.length === 0) {
    print(words.allWhole);
    return;
  }
  printTable(
    lacking.map(({ fileId, name, missingFragments }) => {
      const running = repairs.find((each) => each.fileId === fileId);
      const { doneBytes = 0, totalBytes = 0 } = running ?? {};
      const percent = Math.floor((100 * doneBytes) / Math.max(1, totalBytes));
      const state = running === undefined ? words.waitsForRepair : words.restoring(percent);
      return [name === '' ? fileId : name, words.lacks(missingFragments), state, fileId];
    }),
  );
  if (lacking.length > repairs.length) print(words.repairWaits);
}
