import { type RecordedAnswer, recordedHeaders } from './recording.ts';

/** An answer as it is compared: JSON parsed, other texts in lines. */
export interface ScrubbedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

const uid = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ/g, '<time>'],
  [/^\d+s$/, '<age>'],
  [/\bgn-[a-z0-9]{5}\b/g, 'gn-<random>'],
  [/\bkube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-<random>'],
  [/\b(ReplicaSet "\w+)-[a-z0-9]+"/g, '$1-<hash>"'],
  [/\b10\.255\.255\.1:28443\b|\b10\.0\.0\.1:6443\b/g, '<server>'],
  [/\bcurrent: \d+/g, 'current: <version>'],
  [/(?<=resourceVersion: )"\d+"/, '<version>'],
];
/** Members whose values differ from run to run. That they are there is compared; `resourceVersion` also where it is said in texts. */
const volatile: Readonly<Record<string, string>> = {
  resourceVersion: '<version>',
  continue: '<continue>',
  clusterIP: '<address>',
  clusterIPs: '<addresses>',
  'ca.crt': '<certificate>',
};

/**
 * Replaces what differs from run to run: times, versions, allocated addresses and the server's own, random names,
 * certificates. Uids become numbers in the order they are first seen, so that the same object must have the same uid from case to case. One scrubber for each side, for all cases.
 */
export class Scrubber {
  readonly #uids = new Map<string, string>();

  answer({ status, headers, body }: Answer | RecordedAnswer): ScrubbedAnswer {
    const kept: Record<string, string> = {};
    for (const name of recordedHeaders) {
      const value = (headers as Answer['headers'])[name];
      if (value !== undefined) kept[name] = String(value);
    }
    return { status, headers: kept, body: this.#body(body, kept['content-type'] ?? '') };
  }

  #body(body: string, contentType: string): unknown {
    if (!contentType.startsWith('application/json')) return body.split('\n').map((line) => this.#text(line));
    // Watches answer a line for each event; a line feed after one document has no meaning.
    const documents = body
      .trimEnd()
      .split('\n')
      .filter(Boolean)
      .map((line) => this.#value(JSON.parse(line)));
    return body.startsWith('{"type":') || documents.length !== 1 ? documents : documents[0];
  }

  #value(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.#value(item));
    if (typeof value === 'string') return this.#text(value);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([name, member]) => {
      const known = typeof member === 'string' || Array.isArray(member) ? volatile[name] : undefined;
      return [name, known ?? this.#value(member)];
    });
    return Object.fromEntries(entries);
  }

  #text(text: string): string {
    const named = text.replace(uid, (found) => {
      if (!this.#uids.has(found)) this.#uids.set(found, `<uid ${this.#uids.size + 1}>`);
      return this.#uids.get(found)!;
    });
    return patterns.reduce((scrubbed, [pattern, name]) => scrubbed.replace(pattern, name), named);
  }
}

/** Without the column descriptions of tables, which were not recorded, and without managedFields when the recording has none. */
export function unrecordedLeftOut(answer: ScrubbedAnswer, recorded: RecordedAnswer): ScrubbedAnswer {
  const fieldsRecorded = recorded.body.includes('managedFields');
  const without = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(without);
    if (typeof value !== 'object' || value === null) return value;
    const kept = Object.entries(value).filter(
      ([name]) => !(name === 'description' && 'priority' in value) && (fieldsRecorded || name !== 'managedFields'),
    );
    return Object.fromEntries(kept.map(([name, member]) => [name, without(member)]));
  };
  return { ...answer, body: without(answer.body) };
}
