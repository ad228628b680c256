import type { Target } from './target.ts';

/** Nobody has written for this long: what earlier work caused is over. */
const calmMs = 1_000;
const lookMs = 100;
const limitMs = 60_000;

/**
 * Waits until a server writes nothing any more. The controllers and the scheduler of a control plane go on with what was made, in this process or in
 * another one, on this machine or not: what is measured next is to be itself. `path` is that of a collection.
 */
export async function calm(target: Target, path: string): Promise<void> {
  let last = '';
  for (let waitedMs = 0, still = 0; still < calmMs && waitedMs < limitMs; waitedMs += lookMs) {
    const list = await target.call({ method: 'GET', path: `${path}?limit=1` });
    const { resourceVersion } = (JSON.parse(list.toString()) as { metadata: { resourceVersion: string } }).metadata;
    still = resourceVersion === last ? still + lookMs : 0;
    last = resourceVersion;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
