import { readFileSync } from 'node:fs';

export interface Fields {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

export const nameOf = (object: Fields): string => `${object.kind} ${object.metadata.name}`;

/** A mistake in an object, and what is said of it: `field: message`. */
export interface Refusal {
  readonly verb: 'create' | 'update';
  /** Where the mistake is. */
  readonly pointer: string;
  /** What is there instead, as JSON; `absent`, or `twice`: a list whose first item stands at its end again. */
  readonly value: string;
  readonly causes: readonly string[];
}

/** The mistakes of a file by `Kind name` of the object they are made in. */
export function readRefusals(file: string): Map<string, Refusal[]> {
  const [, ...blocks] = `\n${readFileSync(file, 'utf8')}`.split('\n# ');
  return new Map(
    blocks.map((block) => {
      const [name = '', ...refusals] = block.trimEnd().split(/\n(?! )/);
      return [name, refusals.map(parseRefusal)];
    }),
  );
}

function parseRefusal(text: string): Refusal {
  const [head = '', ...causes] = text.split('\n  ');
  const [, verb, pointer = '', value = ''] = /^(create|update) (\S+) (.*)$/.exec(head) ?? [];
  return { verb: verb as Refusal['verb'], pointer, value, causes };
}

/** A copy of an object with a mistake in it. */
export function withMistake<T extends Fields>(object: T, { pointer, value }: Refusal): T {
  const copy = structuredClone(object);
  const keys = pointer
    .slice(1)
    .split('/')
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  const last = keys.pop()!;
  // biome-ignore lint/suspicious/noExplicitAny: the place of a mistake may be in any object
  const place: any = keys.reduce((at: any, key) => at[key], copy);
  if (value === 'twice') place[last].push(structuredClone(place[last][0]));
  else if (value !== 'absent') place[last] = JSON.parse(value);
  else if (Array.isArray(place)) place.splice(Number(last), 1);
  else delete place[last];
  return copy;
}
