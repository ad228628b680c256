import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { type Flag, flagsOf, variableOf } from './flags.ts';
import { UsageError } from './usage-error.ts';

export type Value = string | boolean | number | readonly string[];
/** Every setting of a command by flag name; what nobody set and has no default is absent. */
export type Settings = Readonly<Record<string, Value>>;

/**
 * Settings of a command: flag beats variable beats config file beats default. A list flag given several times adds up; in the file a
 * key written `name+` appends to what came before. Throws UsageError with what is wrong and where.
 */
export function readSettings(
  command: 'server' | 'agent',
  argv: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Settings {
  const known = flagsOf(command);
  const fromArguments = parseArguments(known, argv);
  const fromEnvironment = parseEnvironment(known, environment);
  const given = fromArguments['config'] ?? fromEnvironment['config'];
  const configFile = String(given ?? known.find((f) => f.name === 'config')!.default);
  if (given !== undefined && !existsSync(configFile)) throw new UsageError(`the config file ${configFile} does not exist`);
  const defaults = Object.fromEntries(known.flatMap((f) => (f.default === undefined ? [] : [[f.name, f.default]])));
  return Object.freeze({ ...defaults, ...readConfigFiles(known, configFile), ...fromEnvironment, ...fromArguments });
}

/** Parses `--name value`, `--name=value`, `--switch` and `--switch=false`. */
function parseArguments(known: readonly Flag[], argv: readonly string[]): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (let i = 0; i < argv.length; i++) {
    const match = /^--?([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(argv[i]!);
    if (!match) throw new UsageError(`unexpected argument ${JSON.stringify(argv[i])}`);
    const flag = findFlag(known, match[1]!);
    if (!flag) throw new UsageError(`there is no flag --${match[1]}${suggestion(known, match[1]!)}`);
    let text = match[2];
    if (text === undefined && flag.type !== 'boolean') {
      text = argv[++i];
      if (text === undefined) throw new UsageError(`--${flag.name} needs a value`);
    }
    set(found, flag, text ?? 'true', `--${flag.name}`);
  }
  return found;
}

function parseEnvironment(
  known: readonly Flag[],
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, Value> {
  const found: Record<string, Value> = {};
  for (const flag of known) {
    for (const variable of [
      variableOf(flag),
      ...(flag.aliases ?? []).map((a) => `SKIFF_${a.replaceAll('-', '_').toUpperCase()}`),
    ]) {
      const text = environment[variable];
      if (text) set(found, flag, text, variable);
    }
  }
  return found;
}

function readConfigFiles(known: readonly Flag[], file: string): Record<string, Value> {
  const folder = `${file}.d`;
  const files = [
    ...(existsSync(file) ? [file] : []),
    ...(existsSync(folder)
      ? readdirSync(folder)
          .filter((f) => /\.ya?ml$/.test(f))
          .sort()
          .map((f) => join(folder, f))
      : []),
  ];
  const found: Record<string, Value> = {};
  for (const path of files) readConfigFile(known, path, found);
  return found;
}

function readConfigFile(known: readonly Flag[], path: string, found: Record<string, Value>): void {
  let document: unknown;
  try {
    document = parse(readFileSync(path, 'utf8'));
  } catch (cause) {
    throw new UsageError(`${path} is not valid YAML: ${(cause as Error).message}`);
  }
  if (document === null || document === undefined) return;
  if (typeof document !== 'object' || Array.isArray(document))
    throw new UsageError(`${path} must be a mapping of settings, e.g. "node-name: pi1"`);
  for (const [key, value] of Object.entries(document)) {
    const appends = key.endsWith('+');
    const flag = findFlag(known, appends ? key.slice(0, -1) : key);
    // One file may serve server and agent alike, so settings of the other command are not an error; a misspelt one is.
    if (!flag) {
      if (isFlagOfAnyCommand(key)) continue;
      throw new UsageError(`${path}: there is no setting ${JSON.stringify(key)}${suggestion(known, key)}`);
    }
    if (!appends) delete found[flag.name];
    for (const item of Array.isArray(value) ? value : [value]) set(found, flag, String(item), `${path}: ${key}`);
  }
}

function isFlagOfAnyCommand(key: string): boolean {
  return [...flagsOf('server'), ...flagsOf('agent')].some((f) => f.name === key.replace(/\+$/, ''));
}

function set(found: Record<string, Value>, flag: Flag, text: string, where: string): void {
  switch (flag.type) {
    case 'boolean':
      if (!/^(true|false|1|0|yes|no)$/i.test(text))
        throw new UsageError(`${where} must be true or false, not ${JSON.stringify(text)}`);
      found[flag.name] = /^(true|1|yes)$/i.test(text);
      break;
    case 'number':
      if (!/^\d+$/.test(text)) throw new UsageError(`${where} must be a number, not ${JSON.stringify(text)}`);
      found[flag.name] = Number(text);
      break;
    case 'list':
      found[flag.name] = [
        ...((found[flag.name] as readonly string[] | undefined) ?? []),
        ...text
          .split(',')
          .map((s) => s.trim())
          .filter(Boolean),
      ];
      break;
    case 'string':
      found[flag.name] = text;
  }
}

function findFlag(known: readonly Flag[], name: string): Flag | undefined {
  return known.find((f) => f.name === name || f.aliases?.includes(name));
}

function suggestion(known: readonly Flag[], name: string): string {
  const near = known.map((f) => f.name).filter((n) => n.includes(name) || name.includes(n) || distance(n, name) <= 2);
  return near.length > 0 ? `; did you mean ${near.map((n) => `--${n}`).join(' or ')}?` : '; see --help';
}

/** Edit distance, for typing mistakes. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++)
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1));
    row = next;
  }
  return row[b.length]!;
}
