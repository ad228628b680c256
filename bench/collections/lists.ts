import { type Sample, timed } from '../api/measure.ts';
import type { Call, Target } from '../api/target.ts';

const shape = (as: string): string => `application/json;as=${as};v=v1;g=meta.k8s.io`;

/** Lists of a namespace of pods, by what a client can ask. `once` makes the text of a request that nobody has sent before. */
function kindsOfList(pods: string, once: () => string): readonly (readonly [string, () => Omit<Call, 'method'>])[] {
  return [
    ['pods', () => ({ path: pods })],
    ['pods, gzip', () => ({ path: pods, acceptEncoding: 'gzip' })],
    ['pods, no list like another', () => ({ path: `${pods}?labelSelector=bench%3Dtrue,x!%3D${once()}` })],
    ['pods by label (a tenth)', () => ({ path: `${pods}?labelSelector=app%3Da-3` })],
    ['first page of 500 pods', () => ({ path: `${pods}?limit=500` })],
    ['table of pods, as kubectl gets it', () => ({ path: pods, accept: shape('Table') })],
    ['metadata of pods', () => ({ path: pods, accept: shape('PartialObjectMetadataList') })],
  ];
}

/** Lists a namespace of pods in every way, with each number of clients. */
export async function listLoad(
  target: Target,
  namespace: string,
  options: { count: number; clientCounts: readonly number[] },
): Promise<[string, Sample][]> {
  const results: [string, Sample][] = [];
  let used = 0;
  const once = (): string => `v${process.pid}-${used++}`;
  for (const [name, call] of kindsOfList(`/api/v1/namespaces/${namespace}/pods`, once)) {
    for (const clients of options.clientCounts) {
      const work = (): Promise<unknown> => target.call({ method: 'GET', ...call() });
      await work();
      const sample = await timed(target, { count: options.count, clients }, work);
      results.push([`list ${name}, ${clients} client${clients === 1 ? '' : 's'}`, sample]);
    }
  }
  return results;
}

/** What must not depend on how much there is elsewhere: one small namespace, and the start of a watch in it. */
export async function smallLoad(target: Target, namespace: string, stored: number): Promise<[string, Sample][]> {
  const pods = `/api/v1/namespaces/${namespace}/pods`;
  const list = await target.call({ method: 'GET', path: pods });
  const { resourceVersion } = JSON.parse(list.toString()).metadata as { resourceVersion: string };
  const watch = async (): Promise<void> => (await target.watch(`${pods}?watch=1&resourceVersion=${resourceVersion}`, () => {}))();
  const get = (path: string) => () => target.call({ method: 'GET', path });
  const with_ = `, ${stored} pods stored`;
  return [
    [`list of 10 pods${with_}`, await timed(target, { count: 1000, clients: 1 }, get(pods))],
    [`get of a pod${with_}`, await timed(target, { count: 1000, clients: 1 }, get(`${pods}/p-3`))],
    [`start of a watch, connection included${with_}`, await timed(target, { count: 200, clients: 1 }, watch)],
  ];
}
