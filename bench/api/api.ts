/**
 * `npm run bench -- api NAME=KUBECONFIG[,PID[+PID…]] [NAME=KUBECONFIG …] [--rounds 3] [--objects 1000] [--clients 1,16] [--only REGEX]`
 *
 * The same API work against one or more servers, interleaved round by round; prints medians and the ratio of each server to the first. Only
 * ratios within one run mean anything. With the ids of a server's processes (its database included) also the CPU time that one call costs it.
 */
import { runLoad } from './load.ts';
import { median, type Sample } from './measure.ts';
import { Target } from './target.ts';

const words = process.argv.slice(2);
const rounds = Number(option('rounds', '3'));
const options = {
  objects: Number(option('objects', '1000')),
  clientCounts: option('clients', '1,16').split(',').map(Number),
  only: new RegExp(option('only', '')),
};
if (words.length === 0) throw new Error('which server? npm run bench -- api skiff=/etc/skiff/skiff.yaml');
const targets = words.map((word) => Target.parse(word));
const results = new Map<string, Map<string, Sample>[]>(targets.map((t) => [t.name, []]));
for (let round = 0; round < rounds; round++)
  for (const target of targets) results.get(target.name)!.push(await runLoad(target, options));
print();
for (const target of targets) target.close();

function print(): void {
  const first = targets[0]!.name;
  console.log(
    `| work | ${targets.map((t, i) => `${t.name}: rate/s · p50 ms · p99 ms${t.pids.length ? ' · CPU ms' : ''}${i ? ` · rate against ${first}` : ''}`).join(' | ')} |`,
  );
  console.log(`|---|${targets.map(() => '---|').join('')}`);
  for (const work of results.get(first)![0]!.keys()) {
    const middle = (name: string, key: keyof Sample): number =>
      median(results.get(name)!.map((round) => round.get(work)![key] ?? Number.NaN));
    const cells = targets.map(({ name, pids }, i) => {
      const cpu = pids.length ? ` · ${middle(name, 'cpuMs').toFixed(2)}` : '';
      const ratio = i ? ` · ×${(middle(name, 'rate') / middle(first, 'rate')).toFixed(2)}` : '';
      return `${middle(name, 'rate').toFixed(0)} · ${middle(name, 'p50').toFixed(2)} · ${middle(name, 'p99').toFixed(2)}${cpu}${ratio}`;
    });
    console.log(`| ${work} | ${cells.join(' | ')} |`);
  }
}

/** Takes `--name value` out of the arguments. */
function option(name: string, fallback: string): string {
  const at = words.indexOf(`--${name}`);
  return at < 0 ? fallback : (words.splice(at, 2)[1] ?? fallback);
}
