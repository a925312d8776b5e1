// What devices of a simulated pool say that each other may do.

import type { SimDevice } from './device.ts';
import type { Simulation } from './scenario.ts';

/** What a device says that the others are; 'out' for nobody. */
export function rolesAs({ pool }: SimDevice, of: readonly SimDevice[]): string {
  const { devices: listed } = pool.status();
  return of.map(({ id }) => listed.find((each) => each.id === id)?.role ?? 'out').join();
}

export async function untilRoles(
  { world }: Simulation,
  devices: readonly SimDevice[],
  of: readonly SimDevice[],
  expected: string,
): Promise<void> {
  await world.until(`all say ${expected}`, () => devices.every((device) => rolesAs(device, of) === expected));
}

/** The reason of a refusal; 'done' if there was none. */
export async function reasonOf(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'done',
    (error: unknown) => JSON.parse((error as Error).message).reason as string, // of plainTexts
  );
}
