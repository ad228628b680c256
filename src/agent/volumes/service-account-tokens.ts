import type { Pod, TokenRequest } from '../../api/generated/types.ts';
import { ServiceAccount } from '../../api/kinds/core/service-account.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';

const defaultLifetimeSeconds = 3600;
/** A token is replaced when this share of its life is over. */
const refreshShare = 0.8;
/** … or at this age, however long it lives. */
const maxAgeMs = 24 * 60 * 60 * 1000;
/** After a refusal the old token serves on while it is valid; the next attempt is this much later. */
const retryMs = 60_000;

interface Issued {
  readonly token: string;
  readonly refreshAtMs: number;
  readonly expiresAtMs: number;
}

export interface TokenAsk {
  readonly audience?: string;
  readonly expirationSeconds?: number;
}

/** Bound service-account tokens of this node's pods. Kept in memory; their number is bounded by the volumes that ask for them. */
export class ServiceAccountTokens {
  readonly #client: Client;
  readonly #clock: Clock;
  readonly #issued = new Map<string, Issued>();

  constructor(deps: { client: Client; clock: Clock }) {
    this.#client = deps.client;
    this.#clock = deps.clock;
  }

  /** A valid token bound to the pod, and when to ask again. Rejects when there is none and none can be had. */
  async get(pod: Pod, ask: TokenAsk): Promise<{ token: string; refreshAtMs: number }> {
    const key = `${pod.metadata.uid}/${ask.audience ?? ''}/${ask.expirationSeconds ?? ''}`;
    const known = this.#issued.get(key);
    const now = this.#clock.now();
    if (known && now < known.refreshAtMs) return known;
    try {
      const issued = await this.#request(pod, ask);
      this.#issued.set(key, issued);
      return issued;
    } catch (error) {
      if (known && now < known.expiresAtMs) return { token: known.token, refreshAtMs: now + retryMs };
      throw error;
    }
  }

  forget(podUid: string): void {
    for (const key of this.#issued.keys()) if (key.startsWith(`${podUid}/`)) this.#issued.delete(key);
  }

  async #request(pod: Pod, ask: TokenAsk): Promise<Issued> {
    const name = pod.spec.serviceAccountName || 'default';
    const body = {
      kind: 'TokenRequest',
      apiVersion: 'authentication.k8s.io/v1',
      metadata: {},
      spec: {
        audiences: ask.audience ? [ask.audience] : [],
        expirationSeconds: ask.expirationSeconds ?? defaultLifetimeSeconds,
        boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod.metadata.name, uid: pod.metadata.uid },
      },
    };
    const now = this.#clock.now();
    const key = { namespace: pod.metadata.namespace ?? '', name };
    const { status } = await this.#client.post<typeof body, TokenRequest>(ServiceAccount, key, 'token', body);
    const expiresAtMs = Date.parse(status.expirationTimestamp ?? '') || now + defaultLifetimeSeconds * 1000;
    const refreshAtMs = Math.min(now + (expiresAtMs - now) * refreshShare, now + maxAgeMs);
    return { token: status.token ?? '', refreshAtMs, expiresAtMs };
  }
}
