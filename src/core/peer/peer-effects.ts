// Writes the effects that the parts of the peer share (peer-events.ts).

import type { MembershipEffect } from '../membership/membership-effects.ts';
import type { DeviceId, FileId } from '../model/ids.ts';
import type { Message } from '../wire/messages.ts';
import type { ForetellEffect } from './foretelling.ts';
import type { Misdeed } from './misdeeds.ts';
import type { PeerEffect } from './peer-events.ts';
import type { RequestEffect } from './requests.ts';

export function send(to: DeviceId, message: Message): PeerEffect {
  return { kind: 'send', to, message, lane: 'control' };
}

/** Requests and their replies are small; the payloads come as bulk from the other side. */
export function inControl(effects: readonly (RequestEffect | ForetellEffect)[]): PeerEffect[] {
  return effects.map((effect) => (effect.kind === 'send' ? send(effect.to, effect.message) : effect));
}

export function ofMembership(effects: readonly MembershipEffect[]): PeerEffect[] {
  return effects.map((effect) => {
    switch (effect.kind) {
      case 'probe':
        return send(effect.to, { kind: 'probe', beliefs: effect.beliefs });
      case 'alive':
        return send(effect.to, { kind: 'alive', records: effect.records });
      case 'sign-alive':
      case 'check-alive':
      case 'close-link':
        return effect;
    }
  });
}

export function misdeed(device: DeviceId, what: Misdeed, count: number): PeerEffect {
  return { kind: 'misdeed', device, what, count };
}

export function drop(file: FileId, fragments: readonly number[]): PeerEffect {
  return { kind: 'drop', file, fragments };
}
