// Whether this device has a gateway: off until somebody turns it on, and then on after a restart too.

import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type Gateway, type GatewayDevice, type GatewaySettings, openGateway } from '../gateway/gateway.ts';
import { isLoopback } from '../gateway/gate.ts';
import { words } from '../words.ts';

/** A wish that cannot be met, in words for people. */
export class GatewayError extends Error {}

const OWN_HOST = '127.0.0.1';
const OWN_PORT = 8790;
/** Of TCP: 16 bits. */
const MAX_PORT = 65_535;

export interface GatewayWish {
  readonly host?: string;
  readonly port?: number;
  readonly name?: string;
  readonly openMetrics?: boolean;
}

export interface GatewayStatus {
  readonly url: string;
  /** Others on the network can read what passes. */
  readonly isOpen: boolean;
}

export class GatewaySwitch {
  readonly #device: GatewayDevice;
  readonly #file: string;
  #gateway: Gateway | undefined;

  /** @param file where the settings are kept while it is on. */
  constructor(device: GatewayDevice, file: string) {
    this.#device = device;
    this.#file = file;
  }

  /** As it was when the device ended. @throws GatewayError. */
  async restore(): Promise<void> {
    const kept = this.#kept();
    if (kept !== undefined) await this.#open(kept);
  }

  /** What the wish leaves out is as before. @throws GatewayError; then it is as before. */
  async turnOn(wish: GatewayWish): Promise<GatewayStatus> {
    const before = this.#kept();
    const name = wish.name ?? before?.name;
    const settings: GatewaySettings = {
      host: wish.host ?? before?.host ?? OWN_HOST,
      port: wish.port ?? before?.port ?? OWN_PORT,
      openMetrics: wish.openMetrics ?? before?.openMetrics ?? false,
      ...(name === undefined ? {} : { name }),
    };
    check(settings);
    await this.#gateway?.close();
    this.#gateway = undefined;
    try {
      const { url, port } = await this.#open(settings);
      const kept = `${JSON.stringify({ ...settings, port })}\n`;
      writeFileSync(this.#file, kept, { mode: 0o600, flush: true });
      this.#device.log.info({ port, isOpen: !isLoopback(settings.host) }, 'gateway on');
      return { url, isOpen: !isLoopback(settings.host) };
    } catch (error) {
      if (before !== undefined) await this.#open(before);
      throw error;
    }
  }

  async turnOff(): Promise<void> {
    rmSync(this.#file, { force: true });
    await this.close();
    this.#device.log.info('gateway off');
  }

  async close(): Promise<void> {
    await this.#gateway?.close();
    this.#gateway = undefined;
  }

  async #open(settings: GatewaySettings): Promise<Gateway> {
    try {
      this.#gateway = await openGateway(this.#device, settings);
      return this.#gateway;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      throw new GatewayError(words.gateway.cannotListen(settings.host, settings.port, code));
    }
  }

  #kept(): GatewaySettings | undefined {
    if (!existsSync(this.#file)) return undefined;
    try {
      const kept: unknown = JSON.parse(readFileSync(this.#file, 'utf8'));
      if (typeof kept !== 'object' || kept === null || !('host' in kept) || !('port' in kept))
        return undefined;
      const { host, port } = kept;
      if (typeof host !== 'string' || typeof port !== 'number') return undefined;
      const name = 'name' in kept && typeof kept.name === 'string' ? { name: kept.name } : {};
      return { host, port, openMetrics: 'openMetrics' in kept && kept.openMetrics === true, ...name };
    } catch {
      return undefined;
    }
  }
}

/** @throws GatewayError. */
function check({ host, port, name }: GatewaySettings): void {
  if (!Number.isInteger(port) || port < 0 || port > MAX_PORT) throw new GatewayError(words.gateway.badPort);
  const isEverywhere = host === '0.0.0.0' || host === '::' || host === '';
  if (isEverywhere && name === undefined) throw new GatewayError(words.gateway.needsName);
}
