import { chmod, chown, lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Container, Pod } from '../../api/generated/types.ts';

/**
 * Gives a volume to the pod's fsGroup: group ownership, group read and write, and directories that pass the group on.
 * Rule: kubernetes.io/docs/tasks/configure-pod-container/security-context/#set-the-security-context-for-a-pod.
 * With `onRootMismatch` nothing is done when the top directory is already right.
 */
export async function giveToGroup(path: string, gid: number, options: { onRootMismatch: boolean }): Promise<void> {
  if (options.onRootMismatch) {
    const root = await lstat(path);
    if (root.gid === gid && (root.mode & 0o2070) === 0o2070) return;
  }
  await giveOne(path, gid);
}

async function giveOne(path: string, gid: number): Promise<void> {
  const stat = await lstat(path);
  if (stat.isSymbolicLink()) return;
  await chown(path, -1, gid);
  if (!stat.isDirectory()) {
    await chmod(path, (stat.mode & 0o7777) | 0o660);
    return;
  }
  await chmod(path, (stat.mode & 0o7777) | 0o2770);
  for (const entry of await readdir(path)) await giveOne(join(path, entry), gid);
}

/** The user all containers of a pod run as, when they agree on one: it then owns the service-account token. */
export function commonUser(pod: Pod): number | undefined {
  const shared = pod.spec.securityContext?.runAsUser;
  const users = new Set(
    [...(pod.spec.initContainers ?? []), ...pod.spec.containers].map((c: Container) => c.securityContext?.runAsUser ?? shared),
  );
  const [user] = users;
  return users.size === 1 ? user : undefined;
}
