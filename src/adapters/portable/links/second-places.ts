// How many second connections a device may have at a time, over all its links.

import { MAX_SECOND_COUNT } from '../../../core/model/limits.ts';

export class SecondPlaces {
  #takenCount = 0;

  get hasOne(): boolean {
    return this.#takenCount < MAX_SECOND_COUNT;
  }

  take(): void {
    this.#takenCount += 1;
  }

  leave(): void {
    this.#takenCount -= 1;
  }
}
