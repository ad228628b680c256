import { Secret } from '../../api/kinds/core/secret.ts';
import { timestamp } from '../../api/timestamp.ts';
import type { Client } from '../../client/client.ts';
import type { Clock } from '../../lib/clock.ts';
import { formatJoinToken, generateBootstrapToken } from '../../pki/join-token.ts';
import { bootstrapSecretPrefix, bootstrapSecretType } from '../auth/authenticators/join-token.ts';
import { joiningNodesGroup } from '../auth/user-names.ts';

/** How long a token is good when nothing else is said. */
const defaultTokenTtlMs = 24 * 60 * 60 * 1000;

const namespace = 'kube-system';

/** A join token as `skiff token list` shows it; the secret stays in the cluster. */
export interface BootstrapToken {
  readonly id: string;
  /** Undefined: never. */
  readonly expiresAtMs: number | undefined;
  readonly description: string;
  readonly groups: readonly string[];
}

/** Makes a token that lets one or more nodes join until it expires. Returns its text; with `caHash` in the form that pins the CA. */
export async function createBootstrapToken(
  deps: { client: Client; clock: Clock },
  options: {
    ttlMs?: number;
    description?: string;
    groups?: readonly string[];
    caHash?: string;
    token?: { id: string; secret: string };
  } = {},
): Promise<string> {
  const token = options.token ?? generateBootstrapToken();
  const ttlMs = options.ttlMs ?? defaultTokenTtlMs;
  const stringData: Record<string, string> = {
    'token-id': token.id,
    'token-secret': token.secret,
    'usage-bootstrap-authentication': 'true',
    'auth-extra-groups': (options.groups ?? [joiningNodesGroup]).join(','),
    ...(options.description ? { description: options.description } : {}),
    ...(ttlMs > 0 ? { expiration: timestamp(deps.clock.now() + ttlMs) } : {}),
  };
  const data = Object.fromEntries(Object.entries(stringData).map(([key, value]) => [key, Buffer.from(value).toString('base64')]));
  await deps.client.create(Secret, {
    metadata: { name: `${bootstrapSecretPrefix}${token.id}`, namespace },
    type: bootstrapSecretType,
    data,
  });
  return formatJoinToken(options.caHash === undefined ? token : { ...token, caHash: options.caHash });
}

/** Every bootstrap token, also expired ones that have not been removed yet. */
export async function listBootstrapTokens(client: Client): Promise<BootstrapToken[]> {
  const { items } = await client.list(Secret, { namespace, fieldSelector: `type=${bootstrapSecretType}` });
  return items.filter((secret) => secret.type === bootstrapSecretType).map(describe);
}

/** Removes a token by its id or by its whole text. Rejects with a 404 StatusError when there is none. */
export async function deleteBootstrapToken(client: Client, idOrToken: string): Promise<void> {
  const id = /::([a-z0-9]+):/.exec(idOrToken)?.[1] ?? idOrToken.split('.')[0]!;
  await client.delete(Secret, { namespace, name: `${bootstrapSecretPrefix}${id}` });
}

function describe(secret: Secret): BootstrapToken {
  const field = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
  const expiresAtMs = Date.parse(field('expiration'));
  return {
    id: field('token-id'),
    expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs,
    description: field('description'),
    groups: field('auth-extra-groups').split(',').filter(Boolean),
  };
}
