// How devices are told apart in palm bunches: a hue and a mark, so that colour is never the only sign. Pure.
// A look follows from the device's id; if two ids want the same look, the later id (in text order) takes the
// next free one.

export const HUE_COUNT = 8;
export const MARK_COUNT = 4;
const LOOK_COUNT = HUE_COUNT * MARK_COUNT;

export interface DeviceLook {
  /** 0..HUE_COUNT-1: the custom property --device-<hue>. */
  readonly hue: number;
  /** 0..MARK_COUNT-1: plain, band, dot, slash. */
  readonly mark: number;
}

/**
 * A look for each id. Looks are distinct for up to HUE_COUNT * MARK_COUNT devices, hues for up to HUE_COUNT;
 * then they repeat.
 */
export function looksOf(deviceIds: readonly string[]): ReadonlyMap<string, DeviceLook> {
  const looks = new Map<string, DeviceLook>();
  const taken = new Set<number>();
  for (const id of [...new Set(deviceIds)].toSorted()) {
    if (taken.size === LOOK_COUNT) taken.clear();
    const round = Math.floor(taken.size / HUE_COUNT) * HUE_COUNT;
    const wanted = fnvOf(id) % HUE_COUNT;
    let slot = round + wanted;
    while (taken.has(slot)) slot = round + ((slot + 1) % HUE_COUNT);
    taken.add(slot);
    looks.set(id, { hue: slot % HUE_COUNT, mark: (slot + Math.floor(slot / HUE_COUNT)) % MARK_COUNT });
  }
  return looks;
}

/** FNV-1a, 32 bits: it only needs to spread ids evenly. */
function fnvOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193) >>> 0;
  }
  return hash;
}
