// When a second connection is opened and ended, what each end says of it, and what an honest end never says.

import { describe, expect, it } from 'vitest';
import type { SecondFrame } from '../../../../src/core/links/second-frames.ts';
import {
  SecondMachine,
  type SecondEffect,
  type SecondInput,
} from '../../../../src/core/links/second-machine.ts';
import {
  IDLE_BEYOND_MS,
  LATE_LOOK_COUNT,
  LOOK_EVERY_MS,
  OPEN_AFTER_BYTES,
  OVER_LOOK_COUNT,
  SECOND_IDLE_MS,
  STILL_LOOK_COUNT,
} from '../../../../src/core/links/second-timing.ts';

const OFFER = { kind: 'offer', sdp: 'an offer' } as const;
const ANSWER = { kind: 'answer', sdp: 'an answer' } as const;
const CANDIDATE = {
  kind: 'candidate',
  candidate: { candidate: 'one', sdpMid: null, sdpMLineIndex: null },
} as const;
const WAITS: SecondInput = { kind: 'waits', byteCount: OPEN_AFTER_BYTES, hasPlace: true };

describe('opening', () => {
  it('the end that offered opens one after enough bytes have waited, to an able end on a direct path', () => {
    const opener = new End(true);
    expect(opener.take(WAITS), 'not known to be able').toEqual([]);
    opener.frame({ kind: 'able' });
    expect(opener.take(WAITS), 'not known to be direct').toEqual([]);
    opener.take({ kind: 'path', isDirect: true });
    expect(opener.take({ ...WAITS, hasPlace: false }), 'no place').toEqual([]);
    expect(opener.take({ ...WAITS, byteCount: 1 }), 'waited before, and now').toEqual([
      { kind: 'create', initiator: true },
    ]);
    expect(opener.take(WAITS), 'there is one').toEqual([]);
  });

  it('bytes that waited long ago do not count', () => {
    const opener = ableEnd(true);
    opener.take({ ...WAITS, byteCount: OPEN_AFTER_BYTES - 1 });
    opener.nowMs += 6_000;
    expect(opener.take({ ...WAITS, byteCount: OPEN_AFTER_BYTES - 1 })).toEqual([]);
    expect(opener.take({ ...WAITS, byteCount: 1 })).toContainEqual({ kind: 'create', initiator: true });
  });

  it('the other end says once that it is able, and asks', () => {
    const other = new End(false);
    expect(other.take({ kind: 'able' })).toEqual([told({ kind: 'able' })]);
    other.take({ kind: 'path', isDirect: true });
    expect(other.take(WAITS)).toEqual([told({ kind: 'wanted' })]);
    const opener = ableEnd(true);
    expect(opener.frame({ kind: 'wanted' })).toEqual([{ kind: 'create', initiator: true }]);
  });

  it('one that does not come up is given up, and the next rests longer each time', () => {
    const opener = ableEnd(true);
    const waits: number[] = [];
    for (let number = 1; number <= 3; number++) {
      const beganMs = opener.nowMs;
      while (!opener.take(WAITS).some(({ kind }) => kind === 'create')) opener.nowMs += 1_000;
      waits.push(opener.nowMs - beganMs);
      opener.passTo(opener.machine.nextDeadlineMs());
      expect(opener.last).toEqual([{ kind: 'destroy' }, told({ kind: 'over', number, count: 0 })]);
      expect(opener.frame({ kind: 'over', number, count: 0 })).toEqual([]);
    }
    expect(waits).toEqual([0, 30_000, 60_000]);
  });

  it.each(['no place', 'not direct', 'too soon'] as const)(
    'an offer is declined without a connection: %s',
    (why) => {
      const other = ableEnd(false);
      if (why === 'too soon') ended(other);
      if (why === 'not direct') other.take({ kind: 'path', isDirect: false });
      const number = why === 'too soon' ? 2 : 1;
      const offer: SecondFrame = { kind: 'signal', number, signal: OFFER };
      expect(other.frame(offer, why !== 'no place')).toEqual([told({ kind: 'over', number, count: 0 })]);
      // Its candidates are under way.
      expect(other.frame({ kind: 'signal', number, signal: CANDIDATE })).toEqual([]);
      expect(other.frame({ kind: 'over', number, count: 0 })).toEqual([]);
      expect(other.machine.isOver).toBe(true);
    },
  );
});

describe('messages', () => {
  it('are counted as they come, and told as counted', () => {
    const end = upEnd(true);
    expect(end.take({ kind: 'came' })).toEqual([told({ kind: 'came', number: 1, count: 1 })]);
    expect(end.take({ kind: 'came' })).toEqual([told({ kind: 'came', number: 1, count: 2 })]);
    end.give(3);
    expect(end.frame({ kind: 'came', number: 1, count: 2 })).toEqual([{ kind: 'counted', count: 2 }]);
    expect(end.frame({ kind: 'came', number: 1, count: 3 })).toEqual([{ kind: 'counted', count: 1 }]);
  });

  it('that were not counted when this end breaks wait for the last count of the other end', () => {
    const end = upEnd(true);
    end.take({ kind: 'came' });
    end.give(3);
    const over = told({ kind: 'over', number: 1, count: 1 });
    expect(end.take({ kind: 'closed' })).toEqual([{ kind: 'destroy' }, over]);
    expect(end.machine.isUp).toBe(false);
    expect(end.take({ kind: 'came' }), 'after its end').toEqual([]);
    expect(end.frame({ kind: 'came', number: 1, count: 1 }), 'under way').toEqual([
      { kind: 'counted', count: 1 },
    ]);
    expect(end.frame({ kind: 'over', number: 1, count: 2 })).toEqual([
      { kind: 'counted', count: 1 },
      { kind: 'resend' },
    ]);
    expect(end.machine.isOver).toBe(true);
  });

  it('that were not counted when the other end breaks go over the link at once', () => {
    const end = upEnd(false);
    end.give(3);
    expect(end.frame({ kind: 'over', number: 1, count: 3 }), 'all came').toEqual([
      { kind: 'destroy' },
      told({ kind: 'over', number: 1, count: 0 }),
      { kind: 'counted', count: 3 },
    ]);
    const late = upEnd(false);
    late.give(3);
    expect(late.frame({ kind: 'over', number: 1, count: 0 })).toEqual([
      { kind: 'destroy' },
      told({ kind: 'over', number: 1, count: 0 }),
      { kind: 'resend' },
    ]);
  });

  it('keep it for as long as they move, however slowly, while the link moves no faster', () => {
    const end = upEnd(true);
    end.give(1);
    end.linkEndBytes = 100_000;
    for (let look = 0; look < 100; look++) {
      end.goneBytes += look % (STILL_LOOK_COUNT - 1) === 0 ? 1 : 0;
      end.passTo(end.nowMs + LOOK_EVERY_MS);
      expect(end.last).toEqual([]);
    }
  });

  it('that do not move end it; a page that slept looks again first', () => {
    const end = upEnd(true);
    end.give(1);
    end.passTo(end.nowMs + 3_600_000);
    expect(end.last).toEqual([]);
    for (let look = 1; look < STILL_LOOK_COUNT; look++) end.passTo(end.nowMs + LOOK_EVERY_MS);
    expect(end.last).toEqual([{ kind: 'destroy' }, told({ kind: 'over', number: 1, count: 0 })]);
  });

  it('that the link would have brought long ago end it, though they move', () => {
    const end = upEnd(true);
    end.give(2);
    end.linkEndBytes = 1_000;
    const look = (): readonly SecondEffect[] => {
      end.goneBytes += 1;
      end.passTo(end.nowMs + LOOK_EVERY_MS);
      return end.last;
    };
    // What waited for the link before them goes out slowly as well, and more comes behind it.
    for (let at = 0; at < 30; at++) expect(look()).toEqual([]);
    end.linkGoneBytes = 1_000;
    end.linkEndBytes = 5_000;
    for (let at = 1; at < LATE_LOOK_COUNT; at++) expect(look()).toEqual([]);
    end.frame({ kind: 'came', number: 1, count: 1 });
    expect(look()).toEqual([{ kind: 'destroy' }, told({ kind: 'over', number: 1, count: 0 })]);
  });

  it('that come in time keep it, however little the link has to do', () => {
    const end = upEnd(true);
    for (let count = 1; count < 100; count++) {
      end.give(1);
      end.goneBytes += 1;
      end.passTo(end.nowMs + LOOK_EVERY_MS);
      end.passTo(end.nowMs + LOOK_EVERY_MS);
      end.frame({ kind: 'came', number: 1, count });
      expect(end.machine.isUp).toBe(true);
    }
  });

  it('that were taken back are not waited for', () => {
    const end = upEnd(true);
    end.take({ kind: 'given' });
    end.take({ kind: 'withdrawn' });
    expect(end.machine.nextDeadlineMs()).toBe(end.nowMs + SECOND_IDLE_MS);
  });

  it('when none come or go for a while, the end that opened it ends it, and both are ready for the next', () => {
    const [opener, other] = [upEnd(true), upEnd(false)];
    expect(other.machine.nextDeadlineMs()).toBe(other.nowMs + IDLE_BEYOND_MS);
    opener.nowMs += SECOND_IDLE_MS - 1;
    opener.take({ kind: 'came' });
    opener.passTo(opener.nowMs + SECOND_IDLE_MS);
    const over = { kind: 'over', number: 1, count: 1 } as const;
    expect(opener.last).toEqual([{ kind: 'destroy' }, told(over)]);
    other.give(1);
    other.frame(over);
    expect(opener.frame({ kind: 'over', number: 1, count: 0 })).toEqual([]);
    for (const end of [opener, other]) end.nowMs += 4_000;
    expect(opener.take(WAITS)).toEqual([{ kind: 'create', initiator: true }]);
    expect(other.frame({ kind: 'signal', number: 2, signal: OFFER })).toEqual([
      { kind: 'create', initiator: false },
      { kind: 'apply', signal: OFFER },
    ]);
  });
});

it('a message that comes slowly keeps it', () => {
  const end = upEnd(true);
  for (let at = 0; at < 5; at++) {
    end.take({ kind: 'part' });
    end.passTo(end.nowMs + SECOND_IDLE_MS - 1);
    expect(end.last).toEqual([]);
  }
});

describe('a hostile end', () => {
  it('opens one and leaves it open without a message: the other end ends it', () => {
    const end = upEnd(false);
    end.passTo(end.nowMs + IDLE_BEYOND_MS);
    expect(end.last).toEqual([{ kind: 'destroy' }, told({ kind: 'over', number: 1, count: 0 })]);
  });

  const lies: readonly (readonly [string, () => End, SecondFrame])[] = [
    ['counts what was not sent', () => given(2), { kind: 'came', number: 1, count: 3 }],
    ['counts again what it counted', () => counted(2), { kind: 'came', number: 1, count: 2 }],
    ['counts back', () => counted(2), { kind: 'came', number: 1, count: 1 }],
    ['counts back at the end', () => counted(2), { kind: 'over', number: 1, count: 1 }],
    ['ends with more than was sent', () => given(2), { kind: 'over', number: 1, count: 3 }],
    ['counts on one that is not there', () => ableEnd(true), { kind: 'came', number: 1, count: 1 }],
    ['ends one that is not there', () => ableEnd(true), { kind: 'over', number: 1, count: 0 }],
    ['ends another', () => upEnd(true), { kind: 'over', number: 2, count: 0 }],
    ['ends one twice', () => ended(upEnd(true)), { kind: 'over', number: 1, count: 0 }],
    ['counts on one that both ended', () => ended(given(1)), { kind: 'came', number: 1, count: 1 }],
    ['offers, though it did not offer the link', () => ableEnd(true), signalOf(OFFER)],
    ['answers what was not offered', () => ableEnd(true), signalOf(ANSWER)],
    ['answers, though it offers', () => upEnd(false), signalOf(ANSWER)],
    ['offers twice', () => upEnd(false), signalOf(OFFER)],
    ['offers with another number', () => ableEnd(false), signalOf(OFFER, 7)],
    ['offers to an end that did not say that it is able', () => new End(false), signalOf(OFFER)],
    ['says twice that it is able', () => ableEnd(true), { kind: 'able' }],
    ['says that it is able, though it offered the link', () => ableEnd(false), { kind: 'able' }],
    ['asks, though it may open', () => ableEnd(false), { kind: 'wanted' }],
    ['asks before it is able', () => new End(true), { kind: 'wanted' }],
  ];

  it.each(lies)('%s', (_, make, frame) => {
    expect(make().frame(frame)).toEqual([{ kind: 'refused', detail: expect.any(String) }]);
  });

  it('floods an end with signals', () => {
    const end = upEnd(false);
    const effects = Array.from({ length: 100 }, () => end.frame(signalOf(CANDIDATE))).flat();
    expect(effects.filter(({ kind }) => kind === 'apply').length).toBeLessThanOrEqual(64);
    expect(effects.at(-1)?.kind).toBe('refused');
  });

  it('never says what came to it, so that this end keeps its messages; a page that slept waits on', () => {
    const end = given(3);
    end.take({ kind: 'closed' });
    end.passTo(end.nowMs + 3_600_000);
    for (let look = 2; look < OVER_LOOK_COUNT; look++) {
      end.passTo(end.nowMs + LOOK_EVERY_MS);
      expect(end.last).toEqual([]);
    }
    end.passTo(end.nowMs + LOOK_EVERY_MS);
    expect(end.last).toEqual([{ kind: 'refused', detail: expect.any(String) }]);
  });
});

class End {
  readonly machine: SecondMachine;
  nowMs = 1_000_000;
  goneBytes = 0;
  linkGoneBytes = 0;
  linkEndBytes = 0;
  last: readonly SecondEffect[] = [];

  constructor(isOpener: boolean) {
    this.machine = new SecondMachine(isOpener);
  }

  take(input: SecondInput): readonly SecondEffect[] {
    this.last = this.machine.handle(this.nowMs, input);
    return this.last;
  }

  frame(frame: SecondFrame, hasPlace = true): readonly SecondEffect[] {
    return this.take({ kind: 'frame', frame, hasPlace });
  }

  give(count: number): void {
    for (let at = 0; at < count; at++) for (const kind of ['given', 'written'] as const) this.take({ kind });
  }

  /** Time passes, without a look in between. */
  passTo(nowMs: number): void {
    this.nowMs = nowMs;
    const { goneBytes, linkGoneBytes, linkEndBytes } = this;
    this.take({ kind: 'tick', flow: { goneBytes, linkGoneBytes, linkEndBytes } });
  }
}

function ableEnd(isOpener: boolean): End {
  const end = new End(isOpener);
  if (isOpener) end.frame({ kind: 'able' });
  else end.take({ kind: 'able' });
  end.take({ kind: 'path', isDirect: true });
  return end;
}

function upEnd(isOpener: boolean): End {
  const end = ableEnd(isOpener);
  if (isOpener) end.take(WAITS);
  else end.frame(signalOf(OFFER));
  end.take({ kind: 'connected' });
  expect(end.machine.isUp).toBe(true);
  return end;
}

function given(count: number): End {
  const end = upEnd(true);
  end.give(count);
  return end;
}

function counted(count: number): End {
  const end = given(count);
  end.frame({ kind: 'came', number: 1, count });
  return end;
}

/** Both ends of its first connection are gone. */
function ended(end: End): End {
  if (end.machine.isOver) end.frame(signalOf(OFFER));
  end.take({ kind: 'closed' });
  end.frame({ kind: 'over', number: 1, count: 0 });
  return end;
}

function signalOf(signal: typeof OFFER | typeof ANSWER | typeof CANDIDATE, number = 1): SecondFrame {
  return { kind: 'signal', number, signal };
}

function told(frame: SecondFrame): SecondEffect {
  return { kind: 'frame', frame };
}
