import type { Target } from './target.ts';

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

export function deleteNamespace(target: Target, name: string): Promise<unknown> {
  return target.call({ method: 'DELETE', path: `/api/v1/namespaces/${name}` });
}
