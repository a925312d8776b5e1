// The driver of a device's peer: inputs that come while its effects are performed wait for their turn.

import { expect, it } from 'vitest';
import { systemRandom } from '../../../../src/adapters/portable/random.ts';
import { webCryptography } from '../../../../src/adapters/portable/webcrypto.ts';
import { Catalogue } from '../../../../src/core/catalogue/catalogue.ts';
import { concatBytes } from '../../../../src/core/model/bytes.ts';
import { fragmentIdOf } from '../../../../src/core/model/ids.ts';
import type { Transport, TransportEvents } from '../../../../src/core/transport-port.ts';
import { decodeMessage, PROTOCOL_VERSION, type Message } from '../../../../src/core/wire/messages.ts';
import { PeerDriver } from '../../../../src/runtime/peer/peer-driver.ts';
import { dirtyMemory } from '../../../fixtures/dirty-memory.ts';
import { seededBytes } from '../../../fixtures/erasure-oracle.ts';
import { deviceAt, fileBody, manifestOf, POOL_KEYS, write } from '../../../fixtures/pool-fixture.ts';
import { ManualClock } from '../../../fixtures/manual-clock.ts';
import { createMemoryStore } from '../../../sim/memory-store.ts';
import { KeyRing } from '../../../../src/core/model/key-ring.ts';

const OTHER = deviceAt(1);

it('it sends an earlier decision before what follows from it', async () => {
  const { driver, sent, clock } = await linkedDriver();
  const log = new Catalogue();
  const { body, fileId } = fileBody('a file');
  const stored = write(log, OTHER, clock.wallMs(), body, manifestOf(OTHER.deviceId));
  driver.input({ kind: 'entries-checked', from: OTHER.deviceId, entries: [stored], more: false });
  driver.fragmentHeld({ fragmentId: fragmentIdOf(seededBytes(9, 1)), fileId, fragment: 0, blockBytes: 10 });
  clock.sleep(1_000);
  sent.length = 0;
  // The removal drops the fragment, which this device reports immediately; but first it asks for the rest of
  // the log.
  const removal = write(log, OTHER, clock.wallMs(), { kind: 'remove', file: fileId });
  driver.input({ kind: 'entries-checked', from: OTHER.deviceId, entries: [removal], more: true });
  expect(sent.map(({ kind }) => kind)).toEqual(['sync', 'holdings']);
});

it('it calls its listeners once nothing waits and everything is done', async () => {
  const { driver, clock } = await linkedDriver();
  const log = new Catalogue();
  const { body, fileId } = fileBody('a file');
  const stored = write(log, OTHER, clock.wallMs(), body, manifestOf(OTHER.deviceId));
  driver.input({ kind: 'entries-checked', from: OTHER.deviceId, entries: [stored], more: false });
  for (const fragment of [0, 1, 2]) {
    const fragmentId = fragmentIdOf(seededBytes(9, fragment));
    driver.fragmentHeld({ fragmentId, fileId, fragment, blockBytes: 10 });
  }
  const heldCounts: number[] = [];
  driver.watch(() => heldCounts.push(driver.peer.own.of(fileId).size));
  const removal = write(log, OTHER, clock.wallMs(), { kind: 'remove', file: fileId });
  driver.input({ kind: 'entries-checked', from: OTHER.deviceId, entries: [removal], more: false });
  expect(heldCounts).toEqual([0]);
});

/** The driver of a device that is linked with OTHER, which said hello. */
async function linkedDriver(): Promise<{ driver: PeerDriver; sent: Message[]; clock: ManualClock }> {
  const clock = new ManualClock();
  const sent: Message[] = [];
  let events: TransportEvents | undefined;
  const transport: Transport = {
    open: (opened) => {
      events = opened;
    },
    send: async (_device, parts) => {
      sent.push(decodeMessage(concatBytes(...parts)).message);
    },
    silentForMs: () => 0,
    givesNothingForMs: () => 0,
    followQueue: () => () => false,
    doubtLink: () => undefined,
    closeLink: (device, reason) => events?.linkDown(device, reason),
    move: () => undefined,
    wake: () => undefined,
    close: async () => undefined,
  };
  const driver = new PeerDriver(
    {
      ...createMemoryStore(),
      clock,
      transport,
      memory: dirtyMemory,
      cryptography: webCryptography,
      pauses: { pause: async () => undefined },
      random: systemRandom,
      identity: deviceAt(0),
      deviceClass: 'laptop',
    },
    new KeyRing(POOL_KEYS),
    {
      changed: () => undefined,
      notice: () => undefined,
      relayState: () => undefined,
      added: () => undefined,
      misdeed: () => undefined,
    },
  );
  await driver.restore(() => false);
  driver.open();
  driver.input({ kind: 'link-up', device: OTHER.deviceId });
  const hello: Message = { kind: 'hello', protocol: PROTOCOL_VERSION, epoch: POOL_KEYS.epoch };
  driver.input({ kind: 'message', from: OTHER.deviceId, message: hello, payload: new Uint8Array() });
  return { driver, sent, clock };
}
