import { randomBytes } from 'node:crypto';
import { type Sample, started } from '../api/measure.ts';
import type { Target } from '../api/target.ts';

const events = 400;
const limitMs = 10_000;
const lineEnd = 0x0a;

interface FanOut {
  readonly watchers: number;
  /** Creators at a time. */
  readonly clients: number;
}

/** Creates objects while others watch; `rate` and CPU are of delivered events, times those of the creations. */
export async function fanOutLoad(
  target: Target,
  namespace: string,
  clientCounts: readonly number[],
): Promise<[string, Sample][]> {
  const results: [string, Sample][] = [];
  for (const watchers of [50, 200]) {
    for (const clients of clientCounts) {
      const name = `watch fan-out, ${watchers} watchers × ${events} events by ${clients} client${clients === 1 ? '' : 's'}`;
      await fanOut(target, namespace, { watchers, clients });
      results.push([name, await fanOut(target, namespace, { watchers, clients })]);
    }
  }
  return results;
}

/** A server may end watches whose clients are slow: then there is no rate. */
async function fanOut(target: Target, namespace: string, { watchers, clients }: FanOut): Promise<Sample> {
  const maps = `/api/v1/namespaces/${namespace}/configmaps`;
  const { metadata } = JSON.parse((await target.call({ method: 'GET', path: `${maps}?limit=1` })).toString());
  const id = randomBytes(3).toString('hex');
  const total = watchers * events;
  let seen = 0;
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const onBytes = (bytes: Buffer): void => {
    for (let at = bytes.indexOf(lineEnd); at >= 0; at = bytes.indexOf(lineEnd, at + 1)) seen++;
    if (seen >= total) finish();
  };
  const path = `${maps}?watch=1&resourceVersion=${metadata.resourceVersion}&labelSelector=run%3D${id}`;
  const stops = await Promise.all(Array.from({ length: watchers }, () => target.watch(path, onBytes)));
  const end = started(target);
  const tookMs: number[] = [];
  let next = 0;
  const client = async (): Promise<void> => {
    for (let i = next++; i < events; i = next++) {
      const sentAt = performance.now();
      await target.call({ method: 'POST', path: maps, body: { metadata: { name: `e-${id}-${i}`, labels: { run: id } } } });
      tookMs.push(performance.now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  const timer = setTimeout(finish, limitMs);
  await finished;
  clearTimeout(timer);
  const sample = end(tookMs, seen);
  for (const stop of stops) stop();
  if (seen < total)
    console.error(`${target.name}: ${seen} of ${total} events arrived, it ended watches that were too slow for it`);
  return seen < total ? { ...sample, rate: Number.NaN } : sample;
}
