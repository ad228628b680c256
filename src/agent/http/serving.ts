import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import { JoinError } from '../join/join-error.ts';
import type { NodeCredentials } from '../join/node-credentials.ts';
import type { AgentServer } from './agent-server.ts';

/** Certificates are looked at this often; they are renewed months before they end. */
const checkMs = 12 * 60 * 60_000;
/** After a certificate could not be had. */
const retryMs = 60_000;

export interface ServingDeps {
  readonly client: Client;
  readonly clock: Clock;
  readonly log: Logger;
  readonly credentials: NodeCredentials;
  readonly server: AgentServer;
  readonly addresses: () => readonly string[];
}

/** Keeps the node's certificates fresh. The HTTPS server begins with the first serving certificate and gets each new one while it runs. */
export class Serving implements Component {
  readonly name = 'serving';
  readonly #deps: ServingDeps;
  #cancel: (() => void) | undefined;
  #listening = false;
  #stopped = false;

  constructor(deps: ServingDeps) {
    this.#deps = deps;
  }

  /** Resolves at once: the server may take its time to sign, and pods do not wait for it. */
  async start(): Promise<void> {
    void this.#check();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#deps.server.stop();
  }

  /** The node has another address: its certificate has to name it, once the server knows it. */
  addressesChanged(): void {
    this.#cancel?.();
    if (!this.#stopped) this.#cancel = this.#deps.clock.after(retryMs, () => void this.#check());
  }

  async #check(): Promise<void> {
    const { client, credentials, server, log, clock, addresses } = this.#deps;
    let nextMs = checkMs;
    try {
      await credentials.renewClient(client);
      const isNew = await credentials.renewServing(client, addresses());
      if (isNew && this.#listening) server.reloadTls();
    } catch (error) {
      nextMs = retryMs;
      const whatToDo = error instanceof JoinError ? error.hint : undefined;
      log.warn('the node has not got its certificates', { error, whatToDo, retrySeconds: nextMs / 1000 });
    }
    try {
      await this.#listen();
    } catch (error) {
      nextMs = retryMs;
      log.error('kubectl logs and exec do not work for this node', { error, retrySeconds: nextMs / 1000 });
    }
    if (!this.#stopped) this.#cancel = clock.after(nextMs, () => void this.#check());
  }

  async #listen(): Promise<void> {
    if (this.#listening || !this.#deps.credentials.serving || this.#stopped) return;
    await this.#deps.server.start();
    this.#listening = true;
  }
}
