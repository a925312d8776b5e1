// Answers the challenges of an outbox under test, without bytes: as a pool does whose devices hold what they claim, save those
// that a test names.

import type { DeviceId } from '../src/core/model/ids.ts';
import type { Challenges } from '../src/core/peer/challenges.ts';
import type { Outbox } from '../src/core/peer/outbox.ts';

const RIGHT = Uint8Array.of(1);
const WRONG = Uint8Array.of(2);

/** Settles every challenge that can be sent now; returns whether there was any. `isLiar` devices send wrong proofs. */
export function answerChallenges(
  challenges: Challenges,
  outbox: Outbox,
  nowMs: number,
  isLiar: (device: DeviceId) => boolean = () => false,
): boolean {
  let hadAny = false;
  for (let effects = challenges.start(); effects.length > 0; effects = challenges.start()) {
    for (const effect of effects) {
      hadAny = true;
      if (effect.kind === 'round') challenges.roundReady(effect.round);
      if (effect.kind !== 'challenge') continue;
      const { id, to, places } = effect;
      challenges.ready(
        nowMs,
        to,
        id,
        places.map(() => RIGHT),
      );
      const digests = places.map(() => (isLiar(to) ? WRONG : RIGHT));
      for (const verdict of challenges.proof(nowMs, to, id, digests)) outbox.judged(nowMs, verdict);
    }
  }
  return hadAny;
}
