import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

/** Folder under src → folders it may import besides itself. The longest matching folder decides. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'main.ts': ['cli'],
  lib: [],
  api: ['lib'],
  storage: ['lib'],
  'sqlite-store': ['storage', 'lib'],
  'etcd-store': ['storage', 'lib'],
  pki: ['lib'],
  client: ['api', 'lib', 'pki'],
  reconcile: ['client', 'api', 'lib'],
  runtime: ['lib'],
  net: ['reconcile', 'client', 'api', 'lib'],
  dns: ['reconcile', 'client', 'api', 'lib'],
  server: ['storage', 'api', 'client', 'pki', 'lib'],
  'server/controllers': ['reconcile', 'client', 'api', 'lib', 'pki'],
  'server/scheduler': ['reconcile', 'client', 'api', 'lib'],
  'server/addons': ['reconcile', 'client', 'api', 'lib'],
  'server/server.ts': ['server', 'storage', 'sqlite-store', 'etcd-store', 'api', 'client', 'reconcile', 'pki', 'lib'],
  agent: ['runtime', 'net', 'dns', 'reconcile', 'client', 'api', 'pki', 'lib'],
  cli: ['server/server.ts', 'agent/node.ts', 'api', 'client', 'pki', 'lib'],
};

/** Modules only some folders may use: the seams where a dependency is wrapped. */
const restrictedModules: Readonly<Record<string, readonly string[]>> = {
  'better-sqlite3': ['sqlite-store', 'cli'],
  systeminformation: ['agent'],
  'node:sea': ['cli', 'lib'],
};

/** api is pure: it may not reach Node at all. */
const pureFolders = ['api'];
const impure = /\b(?:Date\.now\(|Math\.random\(|process\.|new Date\(\))/;

/** Node.js itself, and what package.json names under `dependencies`. */
function isOfProduct(specifier: string): boolean {
  if (specifier.startsWith('node:')) return true;
  const parts = specifier.split('/');
  return dependencies.has(parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'));
}

const dependencies: ReadonlySet<string> = new Set(
  Object.keys((JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: object }).dependencies),
);

/** Every breach of the folder rules, as `file: what`. Tests may import anything. */
export function layerBreaches(): string[] {
  const breaches: string[] = [];
  const graph = new Map<string, string[]>();
  for (const file of sources('src')) {
    const text = readFileSync(file, 'utf8');
    const from = relative('src', file);
    const imports = runtimeAndTypeImports(text);
    const edges: string[] = [];
    for (const { specifier, typeOnly } of imports) {
      if (specifier.startsWith('.')) {
        const to = relative('src', resolve(dirname(file), specifier));
        if (!typeOnly) edges.push(to);
        if (!mayImport(from, to)) breaches.push(`${file}: may not import ${to}`);
      } else {
        const users = restrictedModules[specifier];
        if (users && !users.some((u) => within(from, u))) breaches.push(`${file}: may not import ${specifier}`);
        if (!isOfProduct(specifier))
          breaches.push(`${file}: ${specifier} is for development alone, the product may not import it`);
        if (pureFolders.some((p) => within(from, p)) && specifier.startsWith('node:'))
          breaches.push(`${file}: is pure, may not import ${specifier}`);
      }
    }
    if (pureFolders.some((p) => within(from, p)) && impure.test(withoutComments(text)))
      breaches.push(`${file}: is pure, may not read time, chance or the process`);
    if (!/^(cli\/|main\.ts)/.test(from) && /\bprocess\.(?:env|exit)\b/.test(withoutComments(text)))
      breaches.push(`${file}: process.env and process.exit belong to cli`);
    graph.set(from, edges);
  }
  return [...breaches, ...cycles(graph)];
}

function mayImport(from: string, to: string): boolean {
  const rule = ruleFor(from);
  if (rule === undefined) return false;
  if (within(to, rule)) return isComposable(from, to, rule);
  return (allowed[rule] ?? []).some((target) => within(to, target));
}

/** Inside server/, controllers, scheduler and add-ons are behind the API: neither side imports the other; only server.ts sees both. */
function isComposable(from: string, to: string, rule: string): boolean {
  if (rule !== 'server') return true;
  const walled = ['server/controllers', 'server/scheduler', 'server/addons', 'server/server.ts'];
  return !walled.some((w) => within(to, w)) || from === 'server/server.ts';
}

function ruleFor(file: string): string | undefined {
  return Object.keys(allowed)
    .filter((folder) => within(file, folder))
    .sort((a, b) => b.length - a.length)[0];
}

function within(file: string, folder: string): boolean {
  return file === folder || file.startsWith(`${folder}/`);
}

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sources(path);
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts') ? [path] : [];
  });
}

function runtimeAndTypeImports(text: string): { specifier: string; typeOnly: boolean }[] {
  const found = [];
  for (const m of text.matchAll(/^(?:import|export)\s+(type\s)?[^'";]*?from\s+'([^']+)'/gm))
    found.push({ specifier: m[2]!, typeOnly: m[1] !== undefined });
  for (const m of text.matchAll(/^import\s+'([^']+)'|\bimport\('([^']+)'\)/gm))
    found.push({ specifier: (m[1] ?? m[2])!, typeOnly: false });
  return found;
}

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|[^:'"`])\/\/.*$/gm, '$1');
}

function cycles(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const state = new Map<string, 'open' | 'done'>();
  const found: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      found.push(`import cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`);
      return;
    }
    state.set(file, 'open');
    for (const next of graph.get(file) ?? []) visit(next, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file, []);
  return found;
}
