import { Secret } from '../../../api/kinds/core/secret.ts';
import type { Clock } from '../../../lib/clock.ts';
import { sameSecret } from '../../../pki/join-token.ts';
import { agentTokenId, type StaticTokens, serverTokenId } from '../../../pki/token-files.ts';
import type { Reader } from '../../registry/reader.ts';
import type { UserInfo } from '../user.ts';
import { bootstrappersGroup, joiningNodesGroup, joiningServersGroup } from '../user-names.ts';

/** The type of Secrets in kube-system that hold kubeadm-style join tokens. */
export const bootstrapSecretType = 'bootstrap.kubernetes.io/token';
/** `kube-system/bootstrap-token-<id>` */
export const bootstrapSecretPrefix = 'bootstrap-token-';
const allowedGroup = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;

/**
 * Who sends `<id>.<secret>`: a machine with one of the two static tokens, or with a bootstrap token Secret. Undefined when it is neither.
 * See kubernetes.io/docs/reference/access-authn-authz/bootstrap-tokens.
 */
export function authenticateJoinToken(
  token: string,
  deps: { reader: Reader; clock: Clock; staticTokens: StaticTokens },
): UserInfo | undefined {
  const dot = token.indexOf('.');
  if (dot <= 0) return undefined;
  const id = token.slice(0, dot);
  const secret = token.slice(dot + 1);
  const joining = [bootstrappersGroup, joiningNodesGroup];
  if (id === agentTokenId) return sameSecret(secret, deps.staticTokens.agent) ? bootstrapUser(id, joining) : undefined;
  if (id === serverTokenId)
    return sameSecret(secret, deps.staticTokens.server) ? bootstrapUser(id, [...joining, joiningServersGroup]) : undefined;
  return /^[a-z0-9]{6}$/.test(id) ? fromSecret(id, secret, deps) : undefined;
}

function fromSecret(id: string, secret: string, deps: { reader: Reader; clock: Clock }): UserInfo | undefined {
  const object = deps.reader.get(Secret, { namespace: 'kube-system', name: `${bootstrapSecretPrefix}${id}` });
  if (!object || object.type !== bootstrapSecretType || object.metadata.deletionTimestamp !== undefined) return undefined;
  const field = (name: string): string => Buffer.from(object.data?.[name] ?? '', 'base64').toString('utf8');
  if (field('token-id') !== id || field('token-secret') === '' || !sameSecret(field('token-secret'), secret)) return undefined;
  if (field('usage-bootstrap-authentication') !== 'true') return undefined;
  const expiration = field('expiration');
  if (expiration && !(Date.parse(expiration) > deps.clock.now())) return undefined;
  const extraGroups = field('auth-extra-groups').split(',').filter(Boolean);
  if (!extraGroups.every((group) => allowedGroup.test(group))) return undefined;
  return bootstrapUser(id, [...new Set([bootstrappersGroup, ...extraGroups])].sort());
}

const bootstrapUser = (id: string, groups: readonly string[]): UserInfo => ({
  name: `system:bootstrap:${id}`,
  groups,
  extra: {},
});
