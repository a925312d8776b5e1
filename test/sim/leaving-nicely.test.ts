// Leaving nicely: everything that a device holds has another home, proved, before it leaves; otherwise it
// stays. Judged by the disks.

import { expect } from 'vitest';
import { fragmentsOn } from './checks.ts';
import type { SimDevice } from './device.ts';
import { heldCount } from './disk-looks.ts';
import {
  copyCount,
  countsOn,
  expectReadable,
  N,
  placeFile,
  shortenGrace,
  until,
  untilOnce,
  watchDisks,
} from './moved-file.ts';
import { first, scenario } from './scenario.ts';

const LEAVE_MS = 5 * 60_000;

scenario('three devices that leave nicely at once hand over everything', [1201], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(N);
  await shortenGrace(simulation, first(devices));
  const files = [
    await placeFile(simulation, devices),
    // Still in the outbox when its storer leaves.
    await placeFile(simulation, devices, { name: 'private', private: true }),
  ];
  const { fileId } = first(files);
  watchDisks(simulation, fileId, () => devices);
  const leaving = devices.slice(0, 3);
  const staying = devices.slice(3);
  await Promise.all(
    leaving.map((device) =>
      world.settled(`${device.name} leaves`, device.pool.leave({ handOver: true }), LEAVE_MS),
    ),
  );
  for (const file of files) {
    expect(fragmentsOn(staying, file.fileId).size).toBe(N);
    expect(copyCount(leaving, file.fileId)).toBe(0);
    await untilOnce(simulation, staying, file.fileId);
  }
  // The three chose takers at the same time; the spread evens out afterwards.
  await until(simulation, 'the spread is even', () => countsOn(staying, fileId).join() === '2,2,2,1,1');
  for (const device of leaving) expect(device.pool.status().pool).toBeUndefined();
  for (const device of staying) await expectReadable(simulation, first(files), device);
});

scenario(
  'a device tells how far it is, and what would be lost if it left now',
  [1211],
  async (simulation) => {
    const { world } = simulation;
    const devices = await simulation.pool(3);
    // Without the first, the others have five of eight.
    const file = await placeFile(simulation, devices);
    const leaver = first(devices);
    const other = first(devices, 1);
    const total = heldCount(leaver, file.fileId);
    for (const device of [other, first(devices, 2)]) device.kill();
    await world.until('alone', () =>
      leaver.pool.status().devices.every(({ self, state }) => self || state !== 'reachable'),
    );
    const refused = expect(
      world.settled('leave', leaver.pool.leave({ handOver: true }), LEAVE_MS),
    ).rejects.toMatchObject({ code: 'refused' });
    await world.until('it tells so', () => leaver.pool.status().leaving !== undefined);
    expect(leaver.pool.status().leaving).toEqual({
      doneFragments: 0,
      totalFragments: total,
      wouldLose: [],
    });
    await refused;
    // It stays, whole, and leaves when it is asked again without handing over.
    expect(leaver.pool.status().leaving).toBeUndefined();
    expect(heldCount(leaver, file.fileId)).toBe(total);
    await world.settled('leave now', leaver.pool.leave());
    expect(leaver.pool.status().pool).toBeUndefined();
  },
);

scenario('who changes its mind stays, and takes part as before', [1221], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(N);
  await shortenGrace(simulation, first(devices));
  const file = await placeFile(simulation, devices);
  watchDisks(simulation, file.fileId, () => devices);
  const leaver = first(devices, 2);
  const controller = new AbortController();
  const leaving = leaver.pool.leave({ handOver: true, signal: controller.signal });
  const stays = expect(world.settled('leave', leaving)).rejects.toMatchObject({ code: 'cancelled' });
  await world.pass(200);
  controller.abort();
  await stays;
  await untilOnce(simulation, devices, file.fileId);
  // It is a home again.
  const others = devices.filter((device) => device !== leaver);
  const next = await placeFile(simulation, others, { name: 'next' });
  await until(simulation, 'it holds some', () => heldCount(leaver, next.fileId) > 0);
});

scenario('a taker that dies while others leave costs nothing', [1231, 1232], async (simulation) => {
  const { world } = simulation;
  const devices = await simulation.pool(N);
  await shortenGrace(simulation, first(devices));
  const file = await placeFile(simulation, devices, { byteCount: 3_000_000 });
  watchDisks(simulation, file.fileId, () => devices);
  const leaver: SimDevice = first(devices, 4);
  const left = world.settled('leave', leaver.pool.leave({ handOver: true }), LEAVE_MS);
  const takerOf = (): SimDevice | undefined =>
    devices.find((device) => device !== leaver && heldCount(device, file.fileId) > 1);
  await world.pass(world.seed % 2 === 0 ? 150 : 1_000);
  const taker = takerOf() ?? first(devices, 5);
  taker.kill();
  await world.pass(5_000);
  await taker.reopen();
  await left;
  const staying = devices.filter((device) => device !== leaver);
  await untilOnce(simulation, staying, file.fileId);
  await expectReadable(simulation, file, first(staying));
});
