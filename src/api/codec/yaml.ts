import { Lexer, parseDocument } from 'yaml';
import { requestTooLarge, type StatusError } from '../status-error.ts';
import { maxYamlParts } from './limits.ts';
import { type DuplicateKey, YamlValueError, YamlValues } from './yaml-value.ts';

export interface YamlResult {
  readonly value: unknown;
  /** Equal keys of a map, in upstream's words. */
  readonly duplicates: string | undefined;
}

/** The text is not YAML, or not YAML that JSON can express. */
export class YamlError extends Error {
  override readonly name = 'YamlError';
}

/**
 * The first document of a text in YAML 1.1 as kubectl understands it: `yes` and `on` are booleans, `010` is octal, merge keys work; times
 * stay text. Keys become strings.
 * Throws YamlError, and StatusError 413 for text that would take too long.
 */
export function parseYaml(text: string): YamlResult {
  if (hasTooManyParts(text)) throw tooManyParts();
  const document = parseDocument(text, {
    version: '1.1',
    merge: true,
    uniqueKeys: false,
    prettyErrors: false,
    stringKeys: false,
    customTags: (tags) => tags.filter((tag) => typeof tag === 'string' || !isLeftAlone(tag)),
  });
  const error = document.errors.find(({ code }) => code !== 'MULTIPLE_DOCS');
  if (error) throw converting(`line ${lineAt(text, error.pos[0])}: ${error.message}`);
  const values = new YamlValues();
  const value = plainValue(values, document.contents);
  return { value, duplicates: values.duplicates.length === 0 ? undefined : duplicateErrors(text, values.duplicates) };
}

function hasTooManyParts(text: string): boolean {
  // No character is more than two parts.
  if (text.length * 2 <= maxYamlParts) return false;
  let parts = 0;
  for (const _part of new Lexer().lex(text)) if (++parts > maxYamlParts) return true;
  return false;
}

function tooManyParts(): StatusError {
  const message = `Request entity too large: its YAML has more than ${maxYamlParts} words and marks. Send it as JSON, as kubectl does`;
  return requestTooLarge(message);
}

function plainValue(values: YamlValues, contents: unknown): unknown {
  try {
    return values.value(contents);
  } catch (error) {
    if (error instanceof YamlValueError) throw converting(error.message, error);
    throw error;
  }
}

function converting(why: string, cause?: Error): YamlError {
  return new YamlError(`error converting YAML to JSON: yaml: ${why}`, { cause });
}

/** As many as anybody reads. */
const maxDuplicatesNamed = 20;

function duplicateErrors(text: string, duplicates: readonly DuplicateKey[]): string {
  const named = duplicates.slice(0, maxDuplicatesNamed);
  const lines = named.map(({ key, offset }) => `line ${lineAt(text, offset)}: key ${JSON.stringify(key)} already set in map`);
  return `yaml: unmarshal errors:\n  ${lines.join('\n  ')}`;
}

/** A problem as warnings: what the YAML parser lists becomes one warning a line (apiserver: pkg/endpoints/handlers/rest.go parseYAMLWarnings). */
export function warningsOf(problem: string): string[] {
  const listed = problem.replace(/^(?:error converting YAML to JSON: )?yaml: unmarshal errors:\n/, '');
  return listed === problem ? [problem] : listed.split('\n').map((line) => line.trim());
}

function lineAt(text: string, offset: number): number {
  return text.slice(0, offset).split('\n').length;
}

/** Types JSON does not have, and sexagesimal numbers, which would turn `22:30` into 1350. */
function isLeftAlone(tag: { tag?: string; format?: string }): boolean {
  return tag.format === 'TIME' || /:(?:timestamp|binary|set|omap|pairs)$/.test(tag.tag ?? '');
}
