import { parseDocument } from 'yaml';

export interface YamlResult {
  readonly value: unknown;
  /** Equal keys of a map, in upstream's words. */
  readonly duplicates: string | undefined;
}

/** The text is not YAML, or not YAML that JSON can express. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/** How often anchors may be repeated: a few hundred bytes of nested aliases can stand for gigabytes. */
const maxAliases = 100;

/**
 * The first document of a text in YAML 1.1 as kubectl understands it: `yes` and `on` are booleans, `010` is octal, merge keys work; times
 * stay text. Keys become strings.
 * Throws YamlError.
 */
export function parseYaml(text: string): YamlResult {
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: true,
    prettyErrors: false,
    stringKeys: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isLeftAlone(tag)),
  });
  const duplicates: string[] = [];
  for (const error of document.errors) {
    if (error.code === 'MULTIPLE_DOCS') continue;
    const line = text.slice(0, error.pos[0]).split('\n').length;
    if (error.code !== 'DUPLICATE_KEY')
      throw new YamlError(`error converting YAML to JSON: yaml: line ${line}: ${error.message}`);
    const key = /^[^\s:]+/.exec(text.slice(error.pos[0]))?.[0] ?? '';
    duplicates.push(`line ${line}: key ${JSON.stringify(key.replace(/^["']|["']$/g, ''))} already set in map`);
  }
  return { value: toPlain(document), duplicates: duplicates.length === 0 ? undefined : yamlErrors(duplicates) };
}

/** A problem as warnings: what the YAML parser lists becomes one warning a line (apiserver: pkg/endpoints/handlers/rest.go parseYAMLWarnings). */
export function warningsOf(problem: string): string[] {
  const listed = problem.replace(/^(?:error converting YAML to JSON: )?yaml: unmarshal errors:\n/, '');
  return listed === problem ? [problem] : listed.split('\n').map((line) => line.trim());
}

function yamlErrors(lines: readonly string[]): string {
  return `yaml: unmarshal errors:\n  ${lines.join('\n  ')}`;
}

/** Types JSON does not have, and sexagesimal numbers, which would turn `22:30` into 1350. */
function isLeftAlone(tag: { tag?: string; format?: string }): boolean {
  return tag.format === 'TIME' || /:(?:timestamp|binary|set|omap|pairs)$/.test(tag.tag ?? '');
}

function toPlain(document: ReturnType<typeof parseDocument>): unknown {
  try {
    return document.toJS({ maxAliasCount: maxAliases }) as unknown;
  } catch (error) {
    throw new YamlError(`error converting YAML to JSON: yaml: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
