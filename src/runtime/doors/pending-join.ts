// A join by an invite that ends, from the click until a member let this device in. It outlives its page: the
// invite lies among the secrets, and the next page knocks again.

import type { FinalRefusal } from '../../core/admission/applicant.ts';
import { checkAct, type CheckedAct } from '../../core/catalogue/grants/act.ts';
import { ActSet } from '../../core/catalogue/grants/act-set.ts';
import { utf8 } from '../../core/model/bytes.ts';
import { isPalmError, PalmError } from '../../core/model/errors.ts';
import type { PoolId } from '../../core/model/ids.ts';
import { encodeTicketInvite, readJoinLink, type TicketInvite } from '../../core/model/invite.ts';
import { KeyRing } from '../../core/model/key-ring.ts';
import { derivePoolKeys, FIRST_EPOCH } from '../../core/model/pool-keys.ts';
import { isExpired } from '../../core/admission/verdict.ts';
import type { Identity, SecretStore } from '../../core/ports.ts';
import { followPool } from '../acts/founding.ts';
import { ownExchangePair, rightSecrets, saidIn, saveEpochSecrets } from '../epochs/epoch-secrets.ts';
import type { JoiningStatus } from '../invite-api.ts';
import type { RuntimePorts } from '../runtime-ports.ts';
import { savePool } from '../saved-pool.ts';
import { Joining, type Gift } from './joining.ts';

const PENDING = 'pending-join';

/** Undefined without one, and for one that can no longer be read: its invite can be opened again. */
export async function loadPendingJoin(secrets: SecretStore): Promise<TicketInvite | undefined> {
  const kept = await secrets.get(PENDING);
  if (kept === undefined || kept.length === 0) return undefined;
  try {
    const link = readJoinLink(new TextDecoder().decode(kept));
    return link.kind === 'ticket' ? link.invite : undefined;
  } catch (error) {
    if (isPalmError(error, 'bad-invite')) return undefined;
    throw error;
  }
}

export async function forgetPendingJoin(secrets: SecretStore): Promise<void> {
  const kept = await secrets.get(PENDING);
  if (kept !== undefined && kept.length > 0) await secrets.put(PENDING, new Uint8Array(0));
}

export class PendingJoin {
  /**
   * Resolves once this device is in and everything that it needs to open the pool is on its disk. Rejects
   * with 'bad-invite' when no member lets it in, and with what `stop` was given.
   */
  readonly admitted: Promise<void>;
  readonly #invite: TicketInvite;
  readonly #identity: Identity;
  readonly #ports: RuntimePorts;
  readonly #changed: () => void;
  #settle: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;
  #joining: Joining | undefined;
  #isOver = false;
  #cancelExpiry = (): void => undefined;

  constructor(invite: TicketInvite, identity: Identity, ports: RuntimePorts, changed: () => void) {
    this.#invite = invite;
    this.#identity = identity;
    this.#ports = ports;
    this.#changed = changed;
    this.admitted = new Promise((resolve, reject) => (this.#settle = { resolve, reject }));
  }

  get status(): JoiningStatus {
    return {
      state: this.#joining?.isAsking === true ? 'asking' : 'waiting',
      relay: this.#joining?.relay ?? 'connecting',
      expiresMs: this.#invite.ticket.expiresMs,
    };
  }

  /** Knocks. @throws PalmError when the disk does not take the invite. */
  async start(): Promise<void> {
    const { secrets, cryptography, clock } = this.#ports;
    const { ticket } = this.#invite;
    if (isExpired(ticket, clock.wallMs())) {
      await this.#end(refused('expired'));
      return;
    }
    const pair = await ownExchangePair(secrets, cryptography);
    await secrets.put(PENDING, utf8(encodeTicketInvite(this.#invite)));
    if (this.#isOver) return;
    const doorPorts = { ...this.#ports, identity: this.#identity };
    this.#joining = new Joining(this.#invite, pair, doorPorts, {
      take: (gift) => this.#take(gift),
      refused: (reason) => this.#endNow(refused(reason)),
      failed: (error) => this.#endNow(error),
      changed: () => this.#changed(),
    });
    this.#joining.open();
    this.#watchExpiry();
  }

  /** Ends it with the reason. With `forget`, the next page does not go on. */
  async stop(reason: PalmError, forget: boolean): Promise<void> {
    if (forget) await this.#end(reason);
    else await this.#close(reason);
  }

  /** A member with a clock that is behind may still let it in, for as long as clocks may differ. */
  #watchExpiry(): void {
    const { clock } = this.#ports;
    this.#cancelExpiry = clock.after(EXPIRY_LOOK_MS, () => {
      if (isExpired(this.#invite.ticket, clock.wallMs())) this.#endNow(refused('expired'));
      else this.#watchExpiry();
    });
  }

  async #take(gift: Gift): Promise<boolean> {
    const first = gift.secrets.find(({ epoch }) => epoch === null);
    if (first === undefined || this.#isOver) return false;
    const keys = new KeyRing(derivePoolKeys(first.secret, FIRST_EPOCH));
    const acts = await this.#proved(gift, keys.poolId);
    if (acts === undefined) return false;
    await followPool(this.#ports, keys, this.#invite.ticket.charter, acts.acts());
    if (this.#isOver) return false;
    const { secrets } = this.#ports;
    const right = rightSecrets(gift.secrets, (epoch) => saidIn(acts.find(epoch)));
    await saveEpochSecrets(secrets, right);
    // Last: with the pool's secret on its disk, this device is in the pool.
    await savePool(secrets, { secret: Uint8Array.from(first.secret), epoch: FIRST_EPOCH });
    await forgetPendingJoin(this.#ports.secrets);
    await this.#close(undefined);
    return true;
  }

  /** The acts, if they show the pool of the invite in a state that its issuer knew, and this device in it. */
  async #proved({ from, acts }: Gift, pool: PoolId): Promise<ActSet | undefined> {
    const { ticket } = this.#invite;
    const checked: CheckedAct[] = [];
    try {
      for (const bytes of acts) checked.push(await checkAct(bytes, pool, this.#ports.cryptography));
    } catch (error) {
      if (isPalmError(error, 'bad-message')) return undefined;
      throw error;
    }
    const set = new ActSet();
    set.follow(ticket.charter);
    set.add(checked);
    const giver = set.roleOf(from);
    const isRight =
      [ticket.charter, ...ticket.heads].every((act) => set.find(act) !== undefined) &&
      (giver === 'admin' || giver === 'member') &&
      set.isIn(this.#identity.deviceId);
    return isRight ? set : undefined;
  }

  #endNow(reason: unknown): void {
    this.#end(reason).catch((error: unknown) => this.#settle?.reject(error));
  }

  async #end(reason: unknown): Promise<void> {
    await forgetPendingJoin(this.#ports.secrets);
    await this.#close(reason);
  }

  async #close(reason: unknown): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelExpiry();
    await this.#joining?.close();
    if (reason === undefined) this.#settle?.resolve();
    else this.#settle?.reject(reason);
    this.#changed();
  }
}

/** How often a join that waits looks whether its invite has expired, ms. */
const EXPIRY_LOOK_MS = 60_000;

function refused(reason: FinalRefusal): PalmError {
  return new PalmError({ code: 'bad-invite', reason });
}
