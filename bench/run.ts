/** `npm run bench -- NAME …`: runs one benchmark with the rest of the arguments. */
import { spawnSync } from 'node:child_process';

const benchmarks: Readonly<Record<string, string>> = {
  api: 'bench/api/api.ts',
  collections: 'bench/collections/collections.ts',
  requests: 'bench/requests.ts',
  store: 'bench/store.ts',
};
const [name, ...rest] = process.argv.slice(2);
const file = benchmarks[name ?? ''];
if (!file) {
  console.error(`which benchmark? npm run bench -- ${Object.keys(benchmarks).join(' | ')}`);
  process.exit(2);
}
process.exit(spawnSync(process.execPath, [file, ...rest], { stdio: 'inherit' }).status ?? 1);
