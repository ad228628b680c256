import type { UserInfo } from './user.ts';

/** Everybody who is known. */
export const authenticatedGroup = 'system:authenticated';
/** Everybody else. */
export const unauthenticatedGroup = 'system:unauthenticated';
/** Who may do everything, whatever roles say. */
export const mastersGroup = 'system:masters';
/** The nodes, each as `system:node:<name>`. */
export const nodesGroup = 'system:nodes';
/** Who came with a join token of any kind. */
export const bootstrappersGroup = 'system:bootstrappers';
/** Machines with a join token of this cluster; bound to the right to request a node certificate. */
export const joiningNodesGroup = 'system:bootstrappers:skiff:default-node-token';
/** Machines that hold the server token. */
export const joiningServersGroup = 'system:bootstrappers:skiff:default-server-token';

const serviceAccountPrefix = 'system:serviceaccount:';
const nodePrefix = 'system:node:';

/** `system:serviceaccount:<namespace>:<name>` */
export const serviceAccountUserName = (namespace: string, name: string): string => `${serviceAccountPrefix}${namespace}:${name}`;

/** The groups every service account of a namespace is in. */
export const serviceAccountGroups = (namespace: string): string[] => [
  'system:serviceaccounts',
  `system:serviceaccounts:${namespace}`,
];

/** Namespace and name behind a service account's user name; undefined for other users. */
export function parseServiceAccountUserName(user: string): { namespace: string; name: string } | undefined {
  if (!user.startsWith(serviceAccountPrefix)) return undefined;
  const [namespace, name, ...rest] = user.slice(serviceAccountPrefix.length).split(':');
  return namespace && name && rest.length === 0 ? { namespace, name } : undefined;
}

/** What follows `system:node:` in a user's name; undefined for other users. */
export const parseNodeUserName = (user: string): string | undefined =>
  user.startsWith(nodePrefix) ? user.slice(nodePrefix.length) : undefined;

/** `system:node:<name>` */
export const nodeUserName = (node: string): string => `${nodePrefix}${node}`;

/** The node a user is: somebody of the nodes' group with the name of a node, which may be ''. Undefined for everybody else. */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.groups.includes(nodesGroup)) return undefined;
  return parseNodeUserName(user.name);
}
