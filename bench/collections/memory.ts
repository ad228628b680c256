import type { ClientHttp2Session } from 'node:http2';
import { memory } from '../../test/budget/measure.ts';
import type { Target } from '../api/target.ts';
import { fillConfigMaps, fillPods } from './fill.ts';

const kilo = 1000;
const mega = 1_000_000;
/** Servers collect their garbage when a burst of work is over: memory is read when it has been still for this long… */
const stillMs = 40_000;
/** …or after this long. */
const maxSettleMs = 120_000;
const lookMs = 5_000;
/** Streams a server allows on one connection, at least. */
const streamsPerConnection = 100;
/** Requests that make a server's work worth a collection. */
const burst = 4000;

/** Anonymous memory of the server's processes that stays after a burst, in bytes. Closes the connections of clients that are idle. */
async function settledBytes(target: Target): Promise<number> {
  for (let i = 0; i < burst; i++) await target.call({ method: 'GET', path: '/api/v1/namespaces/default' });
  // Connections are not what is measured: that of each client costs as much as many objects.
  target.close();
  const now = (): number => target.pids.reduce((sum, pid) => sum + memory(pid).anonymousMb * mega, 0);
  let last = now();
  for (let waitedMs = 0, still = 0; waitedMs < maxSettleMs && still < stillMs; waitedMs += lookMs) {
    await new Promise((resolve) => setTimeout(resolve, lookMs));
    const next = now();
    still = Math.abs(next - last) < mega / 2 ? still + lookMs : 0;
    last = next;
  }
  return last;
}

/** What objects add to a server, in MB. */
export async function memoryOfObjects(target: Target, namespace: string, count: number): Promise<number> {
  const before = await settledBytes(target);
  await fillPods(target, namespace, 0, count);
  await fillConfigMaps(target, namespace, count);
  return ((await settledBytes(target)) - before) / mega;
}

/** What an idle watch adds to a server, in kB: of many on few HTTP/2 connections, and of one to each HTTP/1.1 connection. */
export async function memoryOfWatches(target: Target, count: number): Promise<{ shared: number; separate: number }> {
  const list = await target.call({ method: 'GET', path: '/api/v1/pods?limit=1' });
  const { resourceVersion } = JSON.parse(list.toString()).metadata as { resourceVersion: string };
  const path = `/api/v1/pods?watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`;
  const before = await settledBytes(target);
  const sessions: ClientHttp2Session[] = [];
  for (let i = 0; i < count; i++) {
    if (i % streamsPerConnection === 0) sessions.push(target.openHttp2());
    await openStream(sessions.at(-1)!, path);
  }
  const shared = ((await settledBytes(target)) - before) / count / kilo;
  for (const session of sessions) session.destroy();
  const between = await settledBytes(target);
  const stops: (() => void)[] = [];
  for (let i = 0; i < count; i++) stops.push(await target.watch(path, () => {}));
  const separate = ((await settledBytes(target)) - between) / count / kilo;
  for (const stop of stops) stop();
  return { shared, separate };
}

function openStream(session: ClientHttp2Session, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': path });
    stream.on('response', () => resolve());
    stream.on('error', reject);
    stream.resume();
  });
}
