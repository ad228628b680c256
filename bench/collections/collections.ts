/**
 * `npm run bench -- collections NAME=KUBECONFIG,PID[+PID…] [NAME=…] [--rounds 3] [--pods 1000] [--many 10000] [--watches 500] [--clients 1,16]`
 *
 * Lists, watches and memory of one or more servers: speed interleaved round by round, medians and the ratio of each server to the first; CPU is that
 * of the server's processes (its database included) for a call or a delivered event. `--only speed` leaves out the memory, `--only memory` the speed.
 */
import { randomBytes } from 'node:crypto';
import { calm } from '../api/calm.ts';
import { median, type Sample } from '../api/measure.ts';
import { deleteNamespace, makeNamespace } from '../api/namespace.ts';
import { Target } from '../api/target.ts';
import { fanOutLoad } from './fan-out.ts';
import { fillPods } from './fill.ts';
import { listLoad, smallLoad } from './lists.ts';
import { memoryOfObjects, memoryOfWatches } from './memory.ts';

const words = process.argv.slice(2);
const rounds = Number(option('rounds', '3'));
const pods = Number(option('pods', '1000'));
const many = Number(option('many', '10000'));
const watches = Number(option('watches', '500'));
const clientCounts = option('clients', '1,16').split(',').map(Number);
const only = option('only', '');
if (words.length === 0) throw new Error('which server? npm run bench -- collections skiff=/etc/skiff/skiff.yaml,PID');
const targets = words.map((word) => Target.parse(word));
const id = randomBytes(3).toString('hex');
const [full, small] = [`bench-${id}`, `bench-${id}-small`];

for (const target of targets) for (const namespace of [full, small]) await makeNamespace(target, namespace);
if (only !== 'speed') await printMemory();
if (only !== 'memory') await printSpeed();
for (const target of targets) {
  for (const namespace of [full, small]) await deleteNamespace(target, namespace);
  target.close();
}

async function printMemory(): Promise<void> {
  console.log(
    `| server | ${pods} pods and ${pods} configmaps, MB | an idle watch over HTTP/2, kB | on an HTTP/1.1 connection of its own, kB |`,
  );
  console.log('|---|---|---|---|');
  for (const target of targets) {
    const objects = await memoryOfObjects(target, full, pods);
    const { shared, separate } = await memoryOfWatches(target, watches);
    console.log(`| ${target.name} | ${objects.toFixed(1)} | ${shared.toFixed(1)} | ${separate.toFixed(1)} |`);
  }
}

async function printSpeed(): Promise<void> {
  const results = new Map<string, Map<string, Sample[]>>();
  const round = async (work: (target: Target) => Promise<[string, Sample][]>): Promise<void> => {
    for (const target of targets) {
      for (const [name, sample] of await work(target)) {
        const byTarget = results.get(name) ?? new Map<string, Sample[]>();
        results.set(name, byTarget);
        byTarget.set(target.name, [...(byTarget.get(target.name) ?? []), sample]);
      }
    }
  };
  for (const target of targets) {
    if (only === 'speed') await fillPods(target, full, 0, pods);
    await fillPods(target, small, 0, 10);
    await calm(target, `/api/v1/namespaces/${full}/pods`);
  }
  for (let i = 0; i < rounds; i++) {
    await round((target) => listLoad(target, full, { count: 60, clientCounts }));
    await round((target) => fanOutLoad(target, small, clientCounts));
    await round((target) => smallLoad(target, small, pods));
  }
  if (many > pods) {
    for (const target of targets) {
      await fillPods(target, full, pods, many);
      await calm(target, `/api/v1/namespaces/${full}/pods`);
    }
    for (let i = 0; i < rounds; i++) await round((target) => smallLoad(target, small, many));
  }
  print(results);
}

function print(results: ReadonlyMap<string, ReadonlyMap<string, readonly Sample[]>>): void {
  const [first] = targets;
  const heads = targets.map(
    ({ name }, i) => `${name}: rate/s · p50 ms · p99 ms · CPU µs${i ? ` · rate, CPU against ${first!.name}` : ''}`,
  );
  console.log(`| work | ${heads.join(' | ')} |`);
  console.log(`|---|${targets.map(() => '---|').join('')}`);
  for (const [work, byTarget] of results) {
    const middle = (name: string, key: keyof Sample): number =>
      median(byTarget.get(name)!.map((sample) => sample[key] ?? Number.NaN));
    const cells = targets.map(({ name }, i) => {
      const ratio = (key: keyof Sample): string => (middle(name, key) / middle(first!.name, key)).toFixed(2);
      const against = i ? ` · ×${ratio('rate')}, ×${ratio('cpuMs')}` : '';
      const cpuUs = (middle(name, 'cpuMs') * 1000).toFixed(0);
      return `${middle(name, 'rate').toFixed(0)} · ${middle(name, 'p50').toFixed(2)} · ${middle(name, 'p99').toFixed(2)} · ${cpuUs}${against}`;
    });
    console.log(`| ${work} | ${cells.join(' | ')} |`);
  }
}

/** Takes `--name value` out of the arguments. */
function option(name: string, fallback: string): string {
  const at = words.indexOf(`--${name}`);
  return at < 0 ? fallback : (words.splice(at, 2)[1] ?? fallback);
}
