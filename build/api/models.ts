import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One field of a model as client-node describes it. `type` is client-node's text, e.g. `string`, `Array<V1Container>`, `{ [key: string]: string; }`. */
export interface ModelField {
  readonly name: string;
  readonly type: string;
  readonly format: string;
  readonly required: boolean;
  readonly description: string;
}

/** One object type of the Kubernetes API. */
export interface Model {
  readonly name: string;
  readonly description: string;
  readonly fields: readonly ModelField[];
}

const modelsFolder = 'node_modules/@kubernetes/client-node/dist/gen/models';

/** Reads a model and, recursively, every model it references. Returns them by model name. */
export function readModels(rootModels: readonly string[]): Map<string, Model> {
  const models = new Map<string, Model>();
  const queue = [...rootModels];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    if (models.has(name)) continue;
    const model = readModel(name);
    models.set(name, model);
    for (const field of model.fields) queue.push(...referencedModels(field.type));
  }
  return models;
}

/** The model names inside a client-node type text. */
function referencedModels(type: string): string[] {
  return (type.match(/\b(?:[A-Z][a-z]+)?V\d[A-Za-z0-9]*/g) ?? []).filter((name) => name !== 'V1MicroTime');
}

function readModel(name: string): Model {
  const declaration = readFileSync(join(modelsFolder, `${name}.d.ts`), 'utf8');
  const implementation = readFileSync(join(modelsFolder, `${name}.js`), 'utf8');
  const attributes = /attributeTypeMap = (\[[\s\S]*?\n\]);/.exec(implementation)?.[1] ?? '[]';
  const described = new Map<string, { optional: boolean; description: string }>();
  for (const m of declaration.matchAll(/(?:\/\*\*\n((?:(?!\*\/)[\s\S])*?)\*\/\n)?\s+'([^']+)'(\?)?: /g)) {
    described.set(m[2]!, { optional: m[3] === '?', description: commentText(m[1] ?? '') });
  }
  const fields = (JSON.parse(attributes) as { name: string; baseName: string; type: string; format: string }[]).map(
    (attribute) => {
      // The d.ts uses the JavaScript name (`_continue`), the wire uses baseName (`continue`).
      const found = described.get(attribute.name);
      if (!found) throw new Error(`${name}.${attribute.baseName} is not declared in ${name}.d.ts`);
      return {
        name: attribute.baseName,
        type: attribute.type,
        format: attribute.format,
        required: !found.optional,
        description: found.description,
      };
    },
  );
  const classComment = /\/\*\*\n((?:(?!\*\/)[\s\S])*?)\*\/\nexport declare class/.exec(declaration)?.[1] ?? '';
  return { name, description: commentText(classComment), fields };
}

function commentText(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join(' ')
    .replace(/\\(['"])/g, '$1')
    .trim();
}
