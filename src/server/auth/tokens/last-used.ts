import { Secret } from '../../../api/kinds/core/secret.ts';
import type { Client } from '../../../client/client.ts';
import type { Clock } from '../../../lib/clock.ts';

/** On a Secret: the day on which its token was used last. */
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used';
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Notes on Secrets, once a day, that their tokens are still in use (upstream: pkg/serviceaccount/legacy.go). `client` must be allowed to patch
 * Secrets.
 */
export function createLastUsedTracker(deps: { client: Pick<Client, 'patch'>; clock: Clock }): (secret: Secret) => void {
  /** Secrets whose note is on its way: a token is used many times before it is there. */
  const noting = new Set<string>();
  return ({ metadata: { namespace, name, uid, labels } }) => {
    const today = dayOf(deps.clock.now());
    const noted = labels?.[lastUsedLabel];
    // A server whose clock is a little ahead may have been here.
    if (noted === today || noted === dayOf(deps.clock.now() + dayMs) || noting.has(uid!)) return;
    noting.add(uid!);
    const body = { metadata: { uid, labels: { [lastUsedLabel]: today } } };
    const done = (): void => {
      noting.delete(uid!);
    };
    // What fails is tried again when the token is used the next time.
    deps.client.patch(Secret, { namespace: namespace ?? '', name }, { type: 'merge', body }).then(done, done);
  };
}

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
