import { Secret } from '../../../api/kinds/core/secret.ts';
import { parseKey } from '../../../api/meta.ts';
import { defineController } from '../../../reconcile/controller.ts';
import { primary } from '../../../reconcile/watches.ts';

const tokenType = 'bootstrap.kubernetes.io/token';

/** Deletes bootstrap tokens when they expire. */
export const tokenCleaner = defineController({
  name: 'token-cleaner',
  account: 'token-cleaner',
  watches: [primary(Secret, { scope: { namespace: 'kube-system', fieldSelector: `type=${tokenType}` } })],
  async reconcile(key, { client, informer, clock, requeueAfter }) {
    const secret = informer(Secret).get(key);
    if (secret?.type !== tokenType || secret.metadata.deletionTimestamp !== undefined) return;
    const expiresAtMs = expirationOf(secret);
    if (expiresAtMs === undefined) return;
    if (expiresAtMs > clock.now()) requeueAfter(expiresAtMs - clock.now());
    else await client.delete(Secret, parseKey(key), { preconditions: { uid: secret.metadata.uid } });
  },
});

/** A token without an expiration lives for ever; one whose expiration nobody can read has expired. */
function expirationOf({ data }: Secret): number | undefined {
  const text = data?.['expiration'];
  if (!text) return undefined;
  return Date.parse(Buffer.from(text, 'base64').toString('utf8')) || 0;
}
