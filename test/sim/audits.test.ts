// Devices ask each other for what they claim: a lie is found and made up for while nobody reads the file.
// Judged by the disks.

import { decodeMessage, hasPayload } from '../../src/core/wire/messages.ts';
import { fragmentsOn } from './checks.ts';
import type { SimDevice } from './device.ts';
import { absent, busy, liedAbout, N, silent, wrong, type Answer } from './lied-about.ts';
import { copyCount, expectReadable, N as FILE_N, placeFile, until } from './moved-file.ts';
import { first, scenario } from './scenario.ts';

const ANSWERS: readonly Answer[] = [absent, wrong, busy, silent];

scenario(
  'a liar is found out by those who hold the rest, whatever it answers, while nobody reads',
  ANSWERS.map((_, index) => 1700 + index),
  async (simulation) => {
    const answer = first(ANSWERS, simulation.world.seed % ANSWERS.length);
    const { file, left } = await liedAbout(simulation, answer);
    await until(simulation, 'it is made up for', () => fragmentsOn(left, file.fileId).size === N);
    for (const device of left) await expectReadable(simulation, file, device);
  },
);

scenario(
  'a device whose answers were damaged for a while proves what it has, and counts again',
  [1710, 1711, 1712],
  async (simulation) => {
    const { network } = simulation;
    const devices = await simulation.pool(4);
    const file = await placeFile(simulation, devices);
    const { fileId } = file;
    const damaged = first(devices, 1);
    const others = devices.filter((device) => device !== damaged);
    network.distort = (from, _to, message) =>
      from === damaged.id && hasPayload(decodeMessage(message).message.kind) ? flipped(message) : message;
    await until(simulation, 'it is doubted', () =>
      others.every((device) => (device.fileStatus(fileId)?.durable ?? FILE_N) < FILE_N),
    );
    network.distort = (_from, _to, message) => message;
    await until(
      simulation,
      'all counts again, each fragment once, and nothing is staged',
      () =>
        devices.every((device) => device.fileStatus(fileId)?.durable === FILE_N && !hasStaged(device)) &&
        fragmentsOn(devices, fileId).size === FILE_N &&
        copyCount(devices, fileId) === FILE_N,
    );
  },
);

function hasStaged(device: SimDevice): boolean {
  return [...device.store.contents().blocks.values()].some(({ owners }) =>
    owners.some((owner) => owner.includes('repair:')),
  );
}

/** With a bit of its payload flipped. */
function flipped(message: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const changed = message.slice();
  changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
  return changed;
}
