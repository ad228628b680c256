import { badRequest } from '../status-error.ts';

/** One term of a field selector. */
export interface FieldTerm {
  readonly field: string;
  readonly operator: '=' | '!=';
  readonly value: string;
}

/** Which fields a kind can be selected by, besides name and namespace. A `Kind` is one. */
export interface SelectableKind {
  readonly selectableFields: Readonly<Record<string, unknown>>;
  readonly scope?: string;
  fieldRefusal?(field: string): string;
}

/** The longest selector text that is looked at. */
const maxTextLength = 64 * 1024;

/**
 * Reads the text of a `fieldSelector` parameter: `a=b,c==d,e!=f`; a backslash escapes comma, equals sign and itself in values. Terms come
 * sorted, as upstream sorts them. Throws StatusError 400 with upstream's text (apimachinery pkg/fields/selector.go).
 */
export function parseFieldSelector(text: string): FieldTerm[] {
  if (text.length > maxTextLength) throw badRequest(`the field selector is longer than ${maxTextLength} characters`);
  return splitTerms(text)
    .sort()
    .filter((term) => term !== '')
    .map((term) => {
      const m = /^(.*?)(!=|==|=)(.*)$/s.exec(term);
      if (!m) throw badRequest(`invalid selector: '${text}'; can't understand '${term}'`);
      return { field: m[1]!, operator: m[2] === '!=' ? '!=' : '=', value: unescapeValue(m[3]!) };
    });
}

/** Refuses terms on fields the kind cannot be selected by: StatusError 400 with upstream's text. */
export function checkFieldTerms(terms: readonly FieldTerm[], kind: SelectableKind): void {
  for (const { field } of terms) {
    const hasOwnFields = Object.keys(kind.selectableFields).length > 0;
    if (field === 'metadata.name' || Object.hasOwn(kind.selectableFields, field)) continue;
    if (field === 'metadata.namespace' && !(hasOwnFields && kind.scope === 'Cluster')) continue;
    throw badRequest(
      hasOwnFields
        ? (kind.fieldRefusal?.(field) ?? `field label not supported: ${field}`)
        : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
    );
  }
}

/** True when every term holds. `read` gives a field's value, as text. */
export function matchesFieldTerms(terms: readonly FieldTerm[], read: (field: string) => string): boolean {
  for (const { field, operator, value } of terms) if ((read(field) === value) !== (operator === '=')) return false;
  return true;
}

/** The value the selector demands of a field, when it demands one: lets `metadata.name=x` become a single read. */
export function requiredFieldValue(terms: readonly FieldTerm[], field: string): string | undefined {
  return terms.find((term) => term.field === field && term.operator === '=')?.value;
}

function splitTerms(text: string): string[] {
  const terms: string[] = [];
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === ',') {
      terms.push(text.slice(start, i));
      start = i + 1;
    }
  }
  terms.push(text.slice(start));
  return terms;
}

function unescapeValue(text: string): string {
  if (!/[\\,=]/.test(text)) return text;
  let value = '';
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!;
    if (c === ',' || c === '=') throw badRequest(`invalid field selector: unescaped character in value: ${c.charCodeAt(0)}`);
    if (c !== '\\') {
      value += c;
      continue;
    }
    const escaped = text[++i] ?? '';
    if (escaped === '' || !'\\,='.includes(escaped)) {
      throw badRequest(`invalid field selector: invalid escape sequence: \\${escaped}`);
    }
    value += escaped;
  }
  return value;
}
