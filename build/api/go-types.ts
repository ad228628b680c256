import { readFileSync } from 'node:fs';

/** One field of a Go struct of the Kubernetes API, as far as the wire and Go's JSON rules are concerned. */
export interface GoField {
  readonly json: string;
  /** Protobuf field number. Undefined for TypeMeta, which is not part of the message. */
  readonly number: number | undefined;
  /** Go's own spelling of the type, e.g. `[]v1.Container`, `*int32`, `v1.RestartPolicy`. */
  readonly type: string;
  readonly omitEmpty: boolean;
  readonly omitZero: boolean;
  /** `json:",inline"`: the fields of `type` appear in the parent's JSON, but are a message of their own in protobuf. */
  readonly inline: boolean;
  readonly patchStrategy: readonly string[];
  readonly patchMergeKey: string | undefined;
  readonly markers: ReadonlyMap<string, string>;
}

export interface GoStruct {
  readonly name: string;
  readonly fields: readonly GoField[];
  readonly markers: ReadonlyMap<string, string>;
}

/** The structs of one Go package, and what its named scalar types are called. */
export interface GoPackage {
  readonly structs: ReadonlyMap<string, GoStruct>;
  /** The values of the scalar types that are marked as enumerations. */
  readonly enums: ReadonlyMap<string, readonly string[]>;
}

/**
 * Reads the struct declarations of Go files of one package. Understands what API packages contain: one field a line, with struct tags.
 * `packageName` is how Go qualifies the types in messages (`v1`).
 */
export function readGoPackage(files: readonly string[], packageName: string): GoPackage {
  const structs = new Map<string, GoStruct>();
  const aliases = new Map<string, string>();
  const texts = files.map((file) => readFileSync(file, 'utf8'));
  for (const text of texts) for (const m of text.matchAll(/^type (\w+) = (\w+)$/gm)) aliases.set(m[1]!, m[2]!);
  for (const text of texts) {
    for (const struct of structsOf(text, (type) => qualify(aliases.get(type) ?? type, packageName)))
      structs.set(struct.name, struct);
  }
  return { structs, enums: enumsOf(texts.join('\n')) };
}

/** `+enum` stands in the comment of the type; the values are the constants of the type, in either spelling. */
function enumsOf(text: string): Map<string, readonly string[]> {
  const found = new Map<string, readonly string[]>();
  for (const [, comment, name] of text.matchAll(/((?:^[ \t]*\/\/.*\n)+)^type (\w+) string$/gm)) {
    if (!/^\s*\/\/ \+enum$/m.test(comment!)) continue;
    const constants = text.matchAll(new RegExp(`^\\s*\\w+\\s+(?:${name}\\s*=\\s*"(.*?)"|=\\s*${name}\\("(.*?)"\\))`, 'gm'));
    found.set(name!, [...new Set([...constants].map((m) => m[1] ?? m[2]!))].sort());
  }
  return found;
}

function structsOf(text: string, qualifyType: (type: string) => string): GoStruct[] {
  const found: GoStruct[] = [];
  let comments: string[] = [];
  let open: { name: string; fields: GoField[]; markers: ReadonlyMap<string, string> } | undefined;
  for (const line of text.split('\n').map((l) => l.trim())) {
    if (line.startsWith('//')) {
      comments.push(line);
      continue;
    }
    const start = /^type (\w+) struct \{$/.exec(line);
    if (start) open = { name: start[1]!, fields: [], markers: markersOf(comments) };
    else if (open && line === '}') {
      found.push(open);
      open = undefined;
    } else if (open) {
      const field = fieldOf(line, comments, qualifyType);
      if (field) open.fields.push(field);
    }
    // Markers may stand a blank line above the type they belong to.
    if (line !== '') comments = [];
  }
  return found;
}

function fieldOf(line: string, comments: readonly string[], qualifyType: (type: string) => string): GoField | undefined {
  const m = /^(?:(\w+)\s+)?([\w.*[\]]+)\s+`(.*)`/.exec(line);
  if (!m) return undefined;
  const tags = new Map([...m[3]!.matchAll(/(\w+):"([^"]*)"/g)].map((t) => [t[1]!, t[2]!]));
  const [json = '', ...options] = (tags.get('json') ?? '-').split(',');
  if (json === '-') return undefined;
  const number = tags.get('protobuf')?.split(',')[1];
  return {
    json,
    number: number === undefined ? undefined : Number(number),
    type: qualifyType(m[2]!),
    omitEmpty: options.includes('omitempty'),
    omitZero: options.includes('omitzero'),
    inline: options.includes('inline'),
    patchStrategy: tags.get('patchStrategy')?.split(',') ?? [],
    patchMergeKey: tags.get('patchMergeKey'),
    markers: markersOf(comments),
  };
}

/** `// +listType=map` → listType: map. Repeated markers are joined with commas. */
function markersOf(comments: readonly string[]): Map<string, string> {
  const markers = new Map<string, string>();
  for (const comment of comments) {
    const m = /^\/\/ \+(\w+)(?:=(.*))?$/.exec(comment);
    if (!m) continue;
    const before = markers.get(m[1]!);
    markers.set(m[1]!, before === undefined ? (m[2] ?? '').trim() : `${before},${(m[2] ?? '').trim()}`);
  }
  return markers;
}

const builtinTypes = new Set(['string', 'bool', 'int32', 'int64', 'int', 'float64', 'byte']);
const importNames: Readonly<Record<string, string>> = { metav1: 'v1', corev1: 'v1', apiextensionsv1: 'v1' };

function qualify(type: string, packageName: string): string {
  const m = /^((?:\*|\[\]|map\[[\w.]+\])*)([\w.]+)$/.exec(type);
  if (!m) throw new Error(`not a Go type this reader knows: ${type}`);
  const prefix = m[1]!.replace(/\[([\w.]+)\]/g, (_, key: string) => `[${qualifyName(key, packageName)}]`);
  return prefix + qualifyName(m[2]!, packageName);
}

function qualifyName(name: string, packageName: string): string {
  if (builtinTypes.has(name)) return name;
  const [first, second] = name.split('.');
  return second === undefined ? `${packageName}.${first}` : `${importNames[first!] ?? first}.${second}`;
}
