import { pod } from '../api/pod.ts';
import type { Target } from '../api/target.ts';

const clients = 16;

/** Pods no scheduler places, with ten labels `app` among them. */
export function fillPods(target: Target, namespace: string, from: number, to: number): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  return inParallel(from, to, (i) => target.call({ method: 'POST', path, body: pod(i) }));
}

export function fillConfigMaps(target: Target, namespace: string, count: number): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/configmaps`;
  return inParallel(0, count, (i) => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `c-${i}` }, data: { a: 'x'.repeat(512) } };
    return target.call({ method: 'POST', path, body });
  });
}

async function inParallel(from: number, to: number, work: (i: number) => Promise<unknown>): Promise<void> {
  let next = from;
  const client = async (): Promise<void> => {
    for (let i = next++; i < to; i = next++) await work(i);
  };
  await Promise.all(Array.from({ length: clients }, client));
}
