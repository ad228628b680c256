import { randomBytes } from 'node:crypto';
import { calm } from './calm.ts';
import { type Sample, started, timed } from './measure.ts';
import { deleteNamespace, makeNamespace } from './namespace.ts';
import { pod } from './pod.ts';
import type { Target } from './target.ts';

export interface LoadOptions {
  readonly objects: number;
  readonly clientCounts: readonly number[];
  /** Only works whose name it finds; most need what the creations before them left. */
  readonly only: RegExp;
}

/** Objects written by a single client: enough for a median, and a round stays short on slow disks. */
const maxSingleClientObjects = 300;
const watchers = 50;
const fanOutEvents = 200;
const fanOutLimitMs = 60_000;
const handshakes = 160;

/** One round of the load against one server, in a namespace of its own that is deleted at the end. */
export async function runLoad(target: Target, { objects, clientCounts, only }: LoadOptions): Promise<Map<string, Sample>> {
  const results = new Map<string, Sample>();
  const namespace = `bench-${randomBytes(4).toString('hex')}`;
  const base = `/api/v1/namespaces/${namespace}`;
  await makeNamespace(target, namespace);
  for (const clients of clientCounts) {
    const count = clients === 1 ? Math.min(objects, maxSingleClientObjects) : objects;
    const works = [connectWork(target, clients), ...configMapWorks(target, base, clients, count)];
    for (const [name, work] of works) if (only.test(name)) results.set(name, await work());
  }
  for (const [name, work] of podWorks(target, namespace, objects)) if (only.test(name)) results.set(name, await work());
  const fanOutName = `watch fan-out, ${watchers} watchers × ${fanOutEvents} events`;
  if (only.test(fanOutName)) {
    await calm(target, `${base}/pods`);
    results.set(fanOutName, await fanOut(target, base));
  }
  await deleteNamespace(target, namespace);
  return results;
}

/** What is measured, by name, in the order of the works. */
type Work = readonly [string, () => Promise<Sample>];

function connectWork(target: Target, clients: number): Work {
  return [`connect, ${atOnce(clients)}`, () => timed(target, { count: handshakes, clients }, () => target.handshake())];
}

const atOnce = (clients: number): string => `${clients} client${clients === 1 ? '' : 's'}`;

function configMapWorks(target: Target, base: string, clients: number, count: number): readonly Work[] {
  const object = (name: string): object => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name },
    data: { a: 'x'.repeat(512) },
  });
  const name = (i: number): string => `c${clients}-${i}`;
  const one = (i: number): string => `${base}/configmaps/${name(i)}`;
  const steps: readonly (readonly [string, (i: number) => Promise<unknown>])[] = [
    ['create', (i) => target.call({ method: 'POST', path: `${base}/configmaps`, body: object(name(i)) })],
    ['get', (i) => target.call({ method: 'GET', path: one(i) })],
    ['put', (i) => target.call({ method: 'PUT', path: one(i), body: object(name(i)) })],
    [
      'merge-patch',
      (i) =>
        target.call({
          method: 'PATCH',
          path: one(i),
          body: { data: { b: `y${i}` } },
          contentType: 'application/merge-patch+json',
        }),
    ],
    [
      'apply',
      (i) =>
        target.call({
          method: 'PATCH',
          path: `${base}/configmaps/applied-${name(i)}?fieldManager=bench`,
          body: object(`applied-${name(i)}`),
          contentType: 'application/apply-patch+yaml',
        }),
    ],
    ['delete', (i) => target.call({ method: 'DELETE', path: one(i) })],
  ];
  return steps.map(([step, work]) => [`configmap ${step}, ${atOnce(clients)}`, () => timed(target, { count, clients }, work)]);
}

function podWorks(target: Target, namespace: string, objects: number): readonly Work[] {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const annotate = (i: number): Promise<Buffer> =>
    target.call({
      method: 'PATCH',
      path: `${pods}/p-${i}`,
      body: { metadata: { annotations: { n: String(i) } } },
      contentType: 'application/strategic-merge-patch+json',
    });
  const list =
    (query = '') =>
    () =>
      target.call({ method: 'GET', path: `${pods}${query}` });
  const create = (i: number): Promise<Buffer> => target.call({ method: 'POST', path: pods, body: pod(i) });
  const createAll = async (): Promise<Sample> => {
    const created = await timed(target, { count: objects, clients: 16 }, create);
    await calm(target, pods);
    return created;
  };
  return [
    ['pod create, 16 clients', createAll],
    [`pod list of ${objects}, 1 client`, () => timed(target, { count: 20, clients: 1 }, list())],
    [`pod list of ${objects}, 16 clients`, () => timed(target, { count: 60, clients: 16 }, list())],
    ['pod list by label (a tenth), 1 client', () => timed(target, { count: 50, clients: 1 }, list('?labelSelector=app%3Da-3'))],
    ['pod strategic-merge-patch, 16 clients', () => timed(target, { count: objects, clients: 16 }, annotate)],
  ];
}

async function fanOut(target: Target, base: string): Promise<Sample> {
  const sentAt = new Map<string, number>();
  const lagMs: number[] = [];
  let finish: () => void = () => {};
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const onEvent = (name: string): void => {
    lagMs.push(performance.now() - sentAt.get(name)!);
    if (lagMs.length === watchers * fanOutEvents) finish();
  };
  const path = `${base}/configmaps?watch=true&labelSelector=fan%3Dout`;
  const ends = await Promise.all(Array.from({ length: watchers }, () => target.watch(path, fanOutNames(onEvent))));
  const end = started(target);
  for (let i = 0; i < fanOutEvents; i++) {
    sentAt.set(`fan-${i}`, performance.now());
    await target.call({
      method: 'POST',
      path: `${base}/configmaps`,
      body: { metadata: { name: `fan-${i}`, labels: { fan: 'out' } } },
    });
  }
  const timer = setTimeout(finish, fanOutLimitMs);
  await finished;
  clearTimeout(timer);
  for (const stop of ends) stop();
  if (lagMs.length < watchers * fanOutEvents)
    throw new Error(`${target.name}: ${lagMs.length} of ${watchers * fanOutEvents} events arrived`);
  return end(lagMs, watchers * fanOutEvents);
}

/** Finds the name in every event of a watch. Only creations happen, and parsing JSON would cost the client more than sending costs the server. */
function fanOutNames(onEvent: (name: string) => void): (bytes: Buffer) => void {
  const before = '"name":"';
  let rest = '';
  return (bytes) => {
    const text = rest + bytes.toString('latin1');
    const complete = text.lastIndexOf('\n') + 1;
    for (let at = text.indexOf(`${before}fan-`); at >= 0 && at < complete; at = text.indexOf(`${before}fan-`, at + 1))
      onEvent(text.slice(at + before.length, text.indexOf('"', at + before.length)));
    rest = text.slice(complete);
  };
}
