// A member that attacks only by signaling: it has the pool secret, speaks the relay's protocol, signs with
// its own key and says anything it wants. It has no WebRTC and needs none.

import WebSocket from 'ws';
import { RelayClient } from '../../src/adapters/portable/links/relay-client.ts';
import { systemClock } from '../../src/adapters/portable/clock.ts';
import { systemRandom } from '../../src/adapters/portable/random.ts';
import { webCryptography } from '../../src/adapters/portable/webcrypto.ts';
import {
  openEnvelope,
  sealEnvelope,
  type OpenedLetter,
  type SignalBody,
} from '../../src/core/links/envelope.ts';
import {
  newLinkId,
  newSessionId,
  SESSION_RANDOM_BYTES,
  type LinkId,
  type SessionId,
} from '../../src/core/links/link-ids.ts';
import { decodeInvite } from '../../src/core/model/invite.ts';
import { derivePoolKeys } from '../../src/core/model/pool-keys.ts';
import type { Identity } from '../../src/core/ports.ts';
import { identityFrom } from '../fixtures/seeded-identity.ts';

export class HostileCaller {
  readonly #identity: Identity;
  readonly #keys: ReturnType<typeof derivePoolKeys>;
  readonly #session: SessionId;
  readonly #relay: RelayClient;
  readonly #heard: OpenedLetter[] = [];
  #seq = 0;
  #wake = (): void => undefined;

  private constructor(invite: string, appUrl: string, identity: Identity) {
    this.#identity = identity;
    const { secret, epoch } = decodeInvite(invite);
    this.#keys = derivePoolKeys(secret, epoch);
    this.#session = newSessionId(Date.now(), systemRandom.bytes(SESSION_RANDOM_BYTES));
    const url = `${appUrl.replace(/^http/u, 'ws')}relay`;
    this.#relay = new RelayClient({
      url,
      entry: { kind: 'enter', room: this.#keys.poolId },
      clock: systemClock,
      random: systemRandom,
      WebSocket,
    });
  }

  /**
   * Enters the pool's room with a device id smaller than all of `deviceIds`, so that it may make offers to
   * each.
   */
  static async enter(invite: string, appUrl: string, deviceIds: readonly string[]): Promise<HostileCaller> {
    let identity: Identity;
    do identity = identityFrom(systemRandom.bytes(32));
    while (deviceIds.some((id) => id < identity.deviceId));
    const caller = new HostileCaller(invite, appUrl, identity);
    await new Promise<void>((resolve, reject) => {
      caller.#relay.open({
        state: () => undefined,
        entered: () => {
          resolve();
        },
        arrived: () => undefined,
        departed: () => undefined,
        envelope: (_from, envelope) => void caller.#hear(envelope),
        rejected: (rejection) => {
          reject(new Error(JSON.stringify(rejection)));
        },
      });
    });
    return caller;
  }

  /** Announces itself and returns the sessions of `deviceCount` devices that ask it for a link. */
  async meet(deviceCount: number): Promise<SessionId[]> {
    await this.say(null, newLinkId(this.#session, 0), { kind: 'announce' });
    const sessions = (): SessionId[] => [...new Set(this.#heard.map(({ fromSession }) => fromSession))];
    await this.#until(() => sessions().length >= deviceCount);
    return sessions();
  }

  /**
   * Resolves when `session` has handled all earlier letters: a device refuses an answer that it did not ask
   * for.
   */
  async heardBy(session: SessionId): Promise<void> {
    const link = newLinkId(this.#session, Number.MAX_SAFE_INTEGER);
    await this.say(session, link, { kind: 'answer', sdp: 'x' });
    await this.#until(() =>
      this.#heard.some((letter) => letter.fromSession === session && letter.link === link),
    );
  }

  get session(): SessionId {
    return this.#session;
  }

  /** Sends any letter. */
  async say(toSession: SessionId | null, link: LinkId, body: SignalBody): Promise<void> {
    this.#seq += 1;
    const letter = { fromSession: this.#session, toSession, link, seq: this.#seq, body };
    const envelope = await sealEnvelope(letter, this.#keys, this.#identity, webCryptography, systemRandom);
    this.#relay.forward(null, envelope);
  }

  leave(): void {
    this.#relay.close();
  }

  async #hear(envelope: Uint8Array): Promise<void> {
    this.#heard.push(await openEnvelope(envelope, this.#keys, webCryptography));
    this.#wake();
  }

  async #until(holds: () => boolean): Promise<void> {
    while (!holds()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
