// All frames of a message at once, each with a buffer of its own.

import { FRAME_BYTES } from '../../src/core/model/limits.ts';
import type { Lane } from '../../src/core/ports.ts';
import { MessageFrames } from '../../src/core/wire/frames.ts';

export function framesOf(
  parts: readonly Uint8Array[],
  lane: Lane,
  maxFrameBytes: number,
): Uint8Array<ArrayBuffer>[] {
  const into = new Uint8Array(FRAME_BYTES);
  const cutting = new MessageFrames(parts, lane, maxFrameBytes);
  const frames: Uint8Array<ArrayBuffer>[] = [];
  while (!cutting.isOver) frames.push(cutting.cut(into).slice());
  return frames;
}
