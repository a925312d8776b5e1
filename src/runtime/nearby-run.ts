// Nearby pools within the runtime: the calls by shorter names, and failures before they have words.

import type { Failure } from '../core/model/failures.ts';
import type { PalmStatus } from './api.ts';
import type { AskingStatus, AskStatus, ListingStatus, NearbyPool } from './nearby-api.ts';

type WordlessAsk = Omit<AskStatus, 'problem'> & { readonly failure?: Failure };

/** Nearby pools and asks to join, before failures have words. */
export interface WordlessNearby {
  readonly nearby?: NonNullable<PalmStatus['nearby']>;
  readonly asking?: Omit<AskingStatus, 'problem'> & { readonly failure?: Failure };
  readonly listing?: Omit<ListingStatus, 'asks'> & { readonly asks: readonly WordlessAsk[] };
}

/** The calls of nearby pools: `NearbyCalls`, by shorter names. */
export interface NearbyRun {
  look(): Promise<readonly NearbyPool[]>;
  stopLooking(): void;
  ask(id: string, options?: { readonly deviceName?: string }): Promise<void>;
  confirm(signs: readonly string[]): Promise<void>;
  cancel(): void;
  setListed(listed: boolean): Promise<void>;
  compare(id: string): Promise<void>;
  allow(id: string, digits: string): Promise<void>;
  refuse(id: string): void;
}
