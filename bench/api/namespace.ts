import type { Target } from './target.ts';

const lookMs = 100;
const goneLimitMs = 120_000;

/** Makes a namespace and waits until pods can be made in it. */
export async function makeNamespace(target: Target, name: string): Promise<void> {
  await target.call({
    method: 'POST',
    path: '/api/v1/namespaces',
    body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name } },
  });
  for (let attempt = 0; ; attempt++) {
    try {
      await target.call({ method: 'GET', path: `/api/v1/namespaces/${name}/serviceaccounts/default` });
      return;
    } catch (error) {
      if (attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/**
 * Deletes a namespace and waits until nothing of it is left: a server that is still removing thousands of objects would take the machine from the
 * one that is measured next.
 */
export async function deleteNamespace(target: Target, name: string): Promise<void> {
  const path = `/api/v1/namespaces/${name}`;
  await target.call({ method: 'DELETE', path });
  for (let waitedMs = 0; waitedMs < goneLimitMs; waitedMs += lookMs) {
    const { items } = JSON.parse(
      (await target.call({ method: 'GET', path: `/api/v1/namespaces?fieldSelector=metadata.name%3D${name}` })).toString(),
    ) as { items: unknown[] };
    if (items.length === 0) return;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
  throw new Error(`${target.name}: namespace ${name} is still there after ${goneLimitMs / 1000} s`);
}
