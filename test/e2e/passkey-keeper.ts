// What keeps a page's passkeys, and checks who uses them (Chrome DevTools Protocol, `WebAuthn`).

import type { CDPSession, Page } from '@playwright/test';

interface KeeperOptions {
  readonly hasPrf?: boolean;
  readonly isUserVerified?: boolean;
}

/** It ends with the page, and keeps nothing in the browser's profile. */
export class Keeper {
  readonly #session: CDPSession;
  #id = '';

  private constructor(session: CDPSession) {
    this.#session = session;
  }

  static async of(page: Page): Promise<Keeper> {
    const keeper = new Keeper(await page.context().newCDPSession(page));
    await keeper.#session.send('WebAuthn.enable');
    await keeper.changeTo({});
    return keeper;
  }

  /** Another keeper, with nothing in it. */
  async changeTo({ hasPrf = true, isUserVerified = true }: KeeperOptions): Promise<void> {
    if (this.#id !== '')
      await this.#session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.#id });
    const options = {
      protocol: 'ctap2',
      ctap2Version: 'ctap2_1',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified,
      hasPrf,
    } as const;
    const { authenticatorId } = await this.#session.send('WebAuthn.addVirtualAuthenticator', { options });
    this.#id = authenticatorId;
  }

  async ids(): Promise<string[]> {
    return (await this.#credentials()).map(({ credentialId }) => credentialId);
  }

  async forgetAll(): Promise<void> {
    await this.#session.send('WebAuthn.clearCredentials', { authenticatorId: this.#id });
  }

  /** The same ids and keys: what the DevTools add has no secrets. */
  async replaceAll(): Promise<void> {
    const credentials = await this.#credentials();
    await this.changeTo({});
    for (const credential of credentials)
      await this.#session.send('WebAuthn.addCredential', { authenticatorId: this.#id, credential });
  }

  async #credentials() {
    const { credentials } = await this.#session.send('WebAuthn.getCredentials', {
      authenticatorId: this.#id,
    });
    return credentials;
  }
}
