import { readFileSync } from 'node:fs';

/** One request of a sequence, and what a real server answered. */
export interface Step {
  /** Method and path. `{2.metadata.uid}` in it, or in the body, stands for that field of the second answer of the sequence. */
  readonly do: string;
  /** The content type; JSON when absent. */
  readonly type?: string;
  readonly accept?: string;
  readonly body?: unknown;
  readonly answer: Outcome;
}

export interface Outcome {
  readonly status: number;
  readonly warnings?: readonly string[];
  readonly body: unknown;
}

export interface Sequence {
  readonly name: string;
  readonly steps: readonly Step[];
}

/** The sequences of a recording: a line `# name`, then a line of JSON for each step. */
export function readSequences(file: string): Sequence[] {
  const [, ...blocks] = `\n${readFileSync(file, 'utf8')}`.trimEnd().split('\n# ');
  return blocks.map((block) => {
    const [name = '', ...lines] = block.trimEnd().split('\n');
    return { name, steps: lines.map((line) => JSON.parse(line) as Step) };
  });
}

/** A text of a request with its references to earlier answers resolved. */
export function resolved(text: string, answers: readonly unknown[]): string {
  return text.replace(/\{(\d+)\.([\w.]+)\}/g, (_, step: string, path: string) => {
    const value = path
      .split('.')
      .reduce((at, key) => (at as Record<string, unknown> | undefined)?.[key], answers[Number(step) - 1]);
    return String(value);
  });
}

const uid = /\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g;

/**
 * Replaces what differs from run to run. Uids and versions of objects become numbers in the order they are first seen, so that it shows
 * whether an answer is about the same object, and whether it was written. One for each side and sequence.
 */
export class Numbering {
  readonly #uids = new Map<string, number>();
  readonly #versions = new Map<string, number>();

  outcome(answer: {
    status: number;
    headers: Readonly<Record<string, string | readonly string[] | undefined>>;
    body: string;
  }): Outcome {
    const warnings = [answer.headers['warning'] ?? []].flat().flatMap((warning) => warning.split(/, ?(?=299 - )/));
    const { body } = answer;
    return {
      status: answer.status,
      ...(warnings.length > 0 ? { warnings: warnings.map((warning) => warning.slice('299 - '.length)) } : {}),
      body: body.startsWith('{"type":')
        ? this.#events(body)
        : body.startsWith('{')
          ? this.#value(JSON.parse(body))
          : body.trimEnd(),
    };
  }

  /** Of bookmarks only what they say: their objects are empty, and their version is that of the whole store. */
  #events(body: string): unknown[] {
    const events = body
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    return events.map(({ type, object }) =>
      type === 'BOOKMARK' ? { type, annotations: object.metadata.annotations } : this.#value({ type, object }),
    );
  }

  /** Null and empty lists count as absent, and causes are named once: docs/deviations.md. Those of a conflict come in any order. */
  #value(value: unknown, name = ''): unknown {
    if (Array.isArray(value)) {
      const items = value.map((item) => this.#value(item));
      if (name !== 'causes') return items;
      return [...new Set(items.map((item) => JSON.stringify(item)))].sort().map((item) => JSON.parse(item));
    }
    if (typeof value === 'string') return this.#text(value, name);
    if (typeof value !== 'object' || value === null) return value;
    const isList = 'items' in value && 'metadata' in value;
    const entries = Object.entries(value)
      .filter(([, member]) => member !== null && !(Array.isArray(member) && member.length === 0))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, isList && key === 'metadata' ? '<list>' : this.#value(member, key)]);
    return Object.fromEntries(entries);
  }

  #text(text: string, name: string): string {
    const version = (found: string): string => `<version ${numberIn(this.#versions, found)}>`;
    if (name === 'resourceVersion' && /^\d+$/.test(text)) return version(text);
    return text
      .replace(/(?<=Invalid value: )"\{.*\}"(?=: )/s, '{…}')
      .replace(/(?<=ResourceVersion in (?:the precondition|record) \()\d+/g, version)
      .replace(uid, (found) => `<uid ${numberIn(this.#uids, found)}>`)
      .replace(/\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/g, '<time>')
      .replace(/\b10\.43\.\d+\.\d+\b/g, '<address>');
  }
}

function numberIn(known: Map<string, number>, text: string): number {
  const number = known.get(text) ?? known.size + 1;
  known.set(text, number);
  return number;
}
